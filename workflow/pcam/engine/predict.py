"""Prediction: a trained run and a pack in, one probability a patch out."""

import json
import logging
import time
from pathlib import Path

import safetensors.torch
import torch

from pcam.cores import core_count
from pcam.engine.backbones import BACKBONES, build
from pcam.engine.device import Format, choose_device
from pcam.engine.network import Network
from pcam.engine.patches import Patches
from pcam.files import read_table, write_table


def predict_pack(model: str, report: str, pack: str, index: str, predictions: str, runtime: dict) -> None:
    """Write `id,probability` for every patch of a pack's index, in its order.

    model: the weights that a run kept; report: its run.json, which says what the network is.
    """
    torch.set_num_threads(core_count(runtime["workers"]))
    device = choose_device(runtime["device"])
    run = json.loads(Path(report).read_text())
    network = load_network(model, run, device)
    images = read_table(index)
    started = time.perf_counter()
    rows = torch.tensor(images.row.to_numpy())
    logits = network.predict(Patches(pack, device), rows, run["settings"]["batch_size"])
    probabilities = logits.double().sigmoid().cpu().numpy()
    speed = len(images) / (time.perf_counter() - started)
    logging.info("predicted %d patches, %.0f img/s", len(images), speed)
    write_table(images[["id"]].assign(probability=probabilities), predictions)


def load_network(model: str, run: dict, device: torch.device) -> Network:
    """The network of a trained run, on the device, in the format that it was trained in."""
    settings = run["settings"]
    # fp16 is the one format that a GPU has and a CPU lacks.
    precision = "fp32" if device.type == "cpu" and run["precision"] == "fp16" else run["precision"]
    compute = Format(run["layout"], precision)
    classifier = build({**settings, "weights": "none"})
    classifier.load_state_dict(safetensors.torch.load_file(model))
    classifier.to(device, memory_format=compute.memory_format)
    norm = BACKBONES[settings["backbone"]].norm
    return Network(classifier, settings["image_size"], norm, compute)
