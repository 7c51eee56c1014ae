"""One run from its files to its files: split and pack in, model, history, predictions and report out."""

import logging
import os
import resource
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch

from histopatch.cores import core_count
from histopatch.data.folds import parts, read_split
from histopatch.engine import resume
from histopatch.engine.backbones import BACKBONES, build
from histopatch.engine.compiling import compile_network, worth_compiling
from histopatch.engine.device import choose_device, choose_format, device_name
from histopatch.engine.guard import exclusive
from histopatch.engine.loop import Part, Progress, fit
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.errors import InputError
from histopatch.files import replacing, write_json, write_table

LIBRARIES = ("torch", "torchvision", "timm", "numpy", "pandas", "scikit-learn")


def train_run(
    settings: dict,
    fold: int,
    pack: str,
    index: str,
    split: str,
    folder: str,
    code: str,
    formats: str,
    runtime: dict,
) -> None:
    """Train one run on one fold and write its four files into `folder`.

    model.safetensors (the weights after the last epoch), history.csv (a row an epoch), predictions.csv
    (`id,label,probability` of the validation part after the last epoch) and run.json. pack, index and
    split: the files of those steps; code: digest of the training code, for the resume state; formats:
    where the measured formats of computing are remembered; runtime: that section of the configuration.
    """
    torch.set_num_threads(core_count(runtime["workers"]))
    out, state_file = Path(folder), Path(folder, "resume.pt")
    with exclusive(out):
        started = time.perf_counter()
        device = choose_device(runtime["device"])
        _make_deterministic(settings["deterministic"])
        patches = Patches(pack, device)
        table = read_split(split, index)
        if fold not in set(table.fold):
            raise InputError(f"{split}: there is no fold {fold}")
        train, validation = (_part(part, device) for part in parts(table, fold))
        logging.info(
            "%s: %d patches train, %d validate", device_name(device), len(train.rows),
            len(validation.rows),
        )  # fmt: skip
        state_key = resume.fingerprint(settings, code, split, pack)
        saved = resume.load(state_file, state_key)
        network = make_network(settings, device, Path(formats))
        data_seconds, compile_seconds = time.perf_counter() - started, 0.0
        images = settings["epochs"] * len(train.rows)
        compiles = device.type == "cuda" and not settings["deterministic"]
        if compiles and worth_compiling(images, network.compute.images_per_second):
            compile_seconds = compile_network(network, settings["batch_size"], device)
        torch.manual_seed(settings["seed"])

        done, logits = fit(
            network, settings, patches, train, validation,
            saved, save=lambda state: resume.save(state_file, state, state_key),
        )  # fmt: skip

        predictions = table.loc[table.fold == fold, ["id", "label"]]
        probabilities = logits.double().sigmoid().cpu().numpy()
        save_model(network.model, out / "model.safetensors")
        write_table(pd.DataFrame(done.history), out / "history.csv")
        write_table(predictions.assign(probability=probabilities), out / "predictions.csv")
        seconds = {
            "data": data_seconds,
            "compile": compile_seconds,
            "train": done.train_seconds,
            "evaluate": done.evaluate_seconds,
        }
        report = _report(settings, fold, device, network, done, seconds)
        write_json(report, out / "run.json")
        state_file.unlink(missing_ok=True)


def make_network(settings: dict, device: torch.device, formats: Path) -> Network:
    """The network of a run on the device, ready to train, in the format that is fastest there."""
    torch.manual_seed(settings["seed"])  # the head is drawn here
    model = build(settings).to(device)
    compute = choose_format(model, settings, device, formats)
    model.to(memory_format=compute.memory_format)
    return Network(model, settings["image_size"], BACKBONES[settings["backbone"]].norm, compute)


def save_model(model: torch.nn.Module, path: Path) -> None:
    """Write the weights as safetensors, in the plain layout that every reader takes."""
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(state))  # `save_file` would hide it from one's group


def _part(table: pd.DataFrame, device: torch.device) -> Part:
    rows = torch.tensor(table.row.to_numpy(np.int64))
    return Part(rows, torch.tensor(table.label.to_numpy(np.float32), device=device))


def _make_deterministic(asked: bool) -> None:
    """On a CPU every algorithm in use repeats its bits; on a GPU only those that torch knows to."""
    if asked:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # torch asks for it, before cuBLAS starts
    torch.use_deterministic_algorithms(asked)
    torch.backends.cudnn.benchmark = not asked


def _report(settings, fold, device, network: Network, done: Progress, seconds: dict) -> dict:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    report = {
        "settings": settings,
        "fold": fold,
        "device": device_name(device),
        "layout": network.compute.layout,
        "precision": network.compute.precision,
        "micro_batch": done.micro_batch,
        "compiled": network.compiled is not None,
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "images_per_second": round(
            sum(row["images_per_second"] for row in done.history) / len(done.history), 1
        ),
        "peak_memory_bytes": {"process": peak},
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    if device.type == "cuda":
        report["peak_memory_bytes"]["device"] = torch.cuda.max_memory_allocated(device)
    return report
