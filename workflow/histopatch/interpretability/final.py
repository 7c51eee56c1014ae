"""Explanation of the final model on patches that it did not train on: networks and a pack in, tables out."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from histopatch.cores import core_count
from histopatch.data.folds import HELD_OUT
from histopatch.data.pack_index import find_images
from histopatch.engine.device import hold_device
from histopatch.engine.patches import Patches
from histopatch.engine.predict import load_network
from histopatch.evaluation.ensemble import read_held_out
from histopatch.evaluation.predictions import Predictions, ids_at, known_patches, read_predictions
from histopatch.failures import check_final
from histopatch.files import replacing, write_json, write_table
from histopatch.interpretability.choice import balanced_sample, choose_networks, most_confident
from histopatch.interpretability.explanation import Explanation, explain
from histopatch.interpretability.summarise import summarise
from histopatch.statistics.ensembles import Ensemble

BATCH = 16  # patches at a time, at most: what fitted in training may not fit in float32 with all gradients


def explain_final(
    models: Sequence[str],
    reports: Sequence[str],
    predictions: Sequence[str],
    held_out: str | None,
    ensemble: Ensemble,
    split: str,
    pack: str,
    index: str,
    runtime: dict,
    threads: int,
    outputs: dict[str, str],
) -> None:
    """Explain a sample of the predictions of the final model, and its most confident ones.

    models and reports: the weights and the run.json of each network; predictions: those of the validation
    patches, fold 0 first; held_out: those of the held-out patches, which are explained instead if there are
    any; ensemble: how the members of the final model are averaged, of which the best one is explained, and
    its predictions; split: its table, which knows the slides; runtime: that section of the configuration;
    threads: the cores that the job is given. Networks see patches as they are, without symmetries, in
    float32.

    outputs: `attribution`, a CSV with a row for each patch of the sample, and `summary`, its means (JSON);
    for the most confident predictions `confident` (CSV) and `maps` (.npy, float32 n×96×96), row by row.
    Raises InputError if the final training failed.
    """
    check_final(reports)
    torch.set_num_threads(core_count(runtime["workers"], threads))
    with known_patches(split) as known:
        if held_out:
            unseen = read_held_out(held_out, ensemble, known).alone[0]
            unseen = unseen._replace(folds=np.full(len(unseen.labels), HELD_OUT))
        else:
            unseen = read_predictions(predictions, known)
    sample, confident = balanced_sample(unseen.labels), most_confident(unseen)
    places = np.union1d(sample, confident)
    runs = [json.loads(Path(report).read_text()) for report in reports]
    networks = choose_networks(unseen.folds[places], [run["fold"] for run in runs])
    ids = ids_at(split, unseen.places[places])
    rows = find_images(index, "id", ids).set_index("id").row.loc[ids].to_numpy()
    logging.info("explaining %d predictions", len(places))
    with hold_device(runtime["device"]) as device:
        patches = Patches(pack, device)
        explained = _explain(patches, rows, networks, models, runs)

    table = _table(ids, unseen.subset(places), networks, explained)
    of_sample, of_confident = (np.searchsorted(places, these) for these in (sample, confident))
    write_table(table.iloc[of_sample], outputs["attribution"])
    summary = summarise(table.iloc[of_sample], unseen.subset(sample), patches.size)
    measured_on = "held-out patches" if held_out else "validation patches"
    write_json({"measured_on": measured_on, "networks": len(models), **summary}, outputs["summary"])
    write_table(table.iloc[of_confident], outputs["confident"])
    with replacing(outputs["maps"]) as temporary, temporary.open("wb") as file:
        np.save(file, explained.maps[of_confident])


def _explain(
    patches: Patches,
    rows: np.ndarray,
    networks: np.ndarray,
    models: Sequence[str],
    runs: Sequence[dict],
) -> Explanation:
    """Explain the predictions for N rows of the pack, each by its network."""
    places, parts = [], []
    for number in np.unique(networks):
        run, mine = runs[number], np.flatnonzero(networks == number)
        network = load_network(models[number], run | {"precision": "fp32"}, patches.device)
        part = explain(network, patches, rows[mine], min(run["micro_batch"], BATCH))
        places.append(mine)
        parts.append(part)
    order = np.argsort(np.concatenate(places))
    return Explanation(*(np.concatenate(values)[order] for values in zip(*parts, strict=True)))


def _table(
    ids: np.ndarray, predictions: Predictions, networks: np.ndarray, explained: Explanation
) -> pd.DataFrame:
    logit, without_centre, without_border = explained.logits.T
    return pd.DataFrame(
        {
            "id": ids,
            "label": predictions.labels,
            "probability": predictions.probabilities,
            "network": networks,
            "centre_share": explained.centre_share,
            "logit": logit,
            "logit_without_centre": without_centre,
            "logit_without_border": without_border,
        }
    )
