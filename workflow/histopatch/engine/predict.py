"""Prediction: trained runs and a pack in, one probability per patch out."""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch

from histopatch.backbones.build import rebuild
from histopatch.cores import core_count
from histopatch.data.folds import HELD_OUT, patches_of, read_split
from histopatch.engine.device import hold_device
from histopatch.engine.formats import Format
from histopatch.engine.model_files import library_versions
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.errors import InputError
from histopatch.failures import check_final
from histopatch.files import beside, read_blocks, read_table, write_blocks
from histopatch.parts import Parts, file_facts, kept_parts
from histopatch.stain import normaliser
from histopatch.statistics.ensembles import Ensemble

CHUNK = 4096  # patches whose probabilities are kept at a time


def predict_pack(
    models: Sequence[str],
    reports: Sequence[str],
    references: Sequence[str],
    ensemble: Ensemble,
    pack: str,
    index: str,
    predictions: str,
    runtime: dict,
    threads: int,
    code: str = "",
) -> None:
    """Write `id,probability` for every patch of a pack's index, in its order.

    models: the weights that the runs of the final model kept, one file for each fold of one run after the
    other; reports: the run.json of each, which says all that the network is; references: the predictions
    that each made for validation, where ranks are averaged; ensemble: how the networks are averaged, which
    adds a column for each member if there are several; runtime: that section of the configuration; threads:
    the cores that the job is given; code: digest of the code of this step. What the same code predicted of
    the same files before a kill is not predicted again.
    """
    rows = read_table(index, ["row"]).row.to_numpy()
    with kept_parts(predictions, _facts(models, reports, pack, rows, code)) as parts:
        networks = _predict(models, reports, pack, rows, runtime, threads, parts)
        found = pd.DataFrame(ensemble.predict(networks, _known(references)))
        write_blocks(beside(read_blocks(index, ["id"]), found), predictions)


def predict_held_out(
    models: Sequence[str],
    reports: Sequence[str],
    references: Sequence[str],
    ensemble: Ensemble,
    pack: str,
    index: str,
    split: str,
    predictions: str,
    runtime: dict,
    threads: int,
    code: str = "",
) -> None:
    """Write `id,label,probability` for every patch that a split holds out; else as `predict_pack`.

    Raises InputError where the split holds out nothing.
    """
    patches = read_split(split, index)
    rows = patches.row[patches.fold == HELD_OUT].to_numpy()
    if not len(rows):
        raise InputError(f"{split}: nothing is held out; set held_out_fraction")
    with kept_parts(predictions, _facts(models, reports, pack, rows, code)) as parts:
        networks = _predict(models, reports, pack, rows, runtime, threads, parts)
        found = pd.DataFrame(ensemble.predict(networks, _known(references)))
        write_blocks(beside(patches_of(split, HELD_OUT), found), predictions)


def _known(references: Sequence[str]) -> list[np.ndarray]:
    return [read_table(path, ["probability"]).probability.to_numpy() for path in references]


def _facts(models, reports, pack: str, rows: np.ndarray, code: str) -> list:
    """What the probabilities depend on."""
    of_rows = hashlib.sha256(rows.tobytes()).hexdigest()
    return [code, of_rows, library_versions(), *file_facts([*models, *reports, pack])]


def _predict(
    models, reports, pack: str, rows: np.ndarray, runtime: dict, threads: int, parts: Parts
) -> np.ndarray:
    """The probabilities (K×N) of several networks for rows of a pack."""
    check_final(reports)
    torch.set_num_threads(core_count(runtime["workers"], threads))
    logging.info("predicting %d patches of %s", len(rows), pack)
    with hold_device(runtime["device"]) as device:
        patches = Patches(pack, device)
        started = time.perf_counter()
        probabilities = []
        for number, (model, report) in enumerate(zip(models, reports, strict=True)):
            run = json.loads(Path(report).read_text())
            network = load_network(model, run, device)
            # The next attempt may be on another machine, which computes in another precision.
            name = f"{number}-{network.compute.precision}"
            chunks = [
                parts.array(f"{name}-{start:012d}", partial(_probabilities, network, run, patches, chunk))
                for start, chunk in zip(
                    range(0, len(rows), CHUNK), torch.tensor(rows).split(CHUNK), strict=True
                )
            ]
            probabilities.append(np.concatenate(chunks))
    speed = len(rows) * len(models) / (time.perf_counter() - started)
    networks = "" if len(models) == 1 else f" with {len(models)} networks"
    logging.info("predicted %d patches%s, %.0f img/s", len(rows), networks, speed)
    return np.array(probabilities)


def _probabilities(network: Network, run: dict, patches: Patches, rows: torch.Tensor) -> np.ndarray:
    return network.predict(patches, rows, run["micro_batch"]).double().sigmoid().cpu().numpy()


def load_network(model: str, run: dict, device: torch.device) -> Network:
    """The network of a trained run, on the device, in the format that it was trained in.

    model: the file of weights; run: the content of run.json, which alone says what the network is.
    """
    return restore_network(safetensors.torch.load_file(model), run, device)


def restore_network(weights: dict[str, torch.Tensor], run: dict, device: torch.device) -> Network:
    """The network with these weights, likewise."""
    # fp16 is the one format that a GPU has and a CPU lacks.
    precision = "fp32" if device.type == "cpu" and run["precision"] == "fp16" else run["precision"]
    compute = Format(run["layout"], precision)
    classifier = rebuild(run["model"])
    classifier.load_state_dict(weights)
    classifier.to(device, memory_format=compute.memory_format)
    # Runs from before these were choices do not say.
    symmetries, stain = (run["model"].get(key) for key in ("symmetries", "stain_normalisation"))
    return Network(
        classifier,
        run["model"]["image_size"],
        compute,
        symmetries=bool(symmetries),
        normaliser=normaliser.rebuild(stain, device) if stain else None,
    )
