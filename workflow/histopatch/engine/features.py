"""The features of a frozen encoder: made once for all patches of a pack, read by every head."""

import logging
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from histopatch.backbones.build import build
from histopatch.cores import core_count
from histopatch.engine.device import device_name, hold_device, make_deterministic
from histopatch.engine.formats import candidates
from histopatch.engine.micro_batch import choose_micro_batch
from histopatch.engine.model_files import library_versions, save_model
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.files import replacing, write_json
from histopatch.parts import file_facts, kept_parts
from histopatch.settings import Settings

CHUNK = 4096  # patches whose features are written at a time


def embed_pack(
    settings: Settings,
    pack: str,
    features: str,
    encoder: str,
    report: str,
    runtime: dict,
    threads: int,
    code: str = "",
) -> None:
    """Write the features of every patch of a pack, in its order, and the encoder that made them.

    features: float32 N×W in a .npy file; encoder: its weights as safetensors, named as in a classifier;
    report: JSON with all else that a classifier with this encoder needs. Patches are as they are: neither
    augmented nor in batches that would matter, since a frozen encoder evaluates. runtime and threads: as of
    `engine.train.train_run`. code: digest of the code of this step; what the same code made of the same pack
    and encoder before a kill is not made again.
    """
    torch.set_num_threads(core_count(runtime["workers"], threads))
    make_deterministic(settings.deterministic)
    with hold_device(runtime["device"]) as device:
        started = time.perf_counter()
        torch.manual_seed(settings.seed)
        model = build(settings)
        description = model.description()
        compute = candidates(settings.precision, device)[0]
        model.to(device, memory_format=compute.memory_format)
        micro_batch, _ = choose_micro_batch(model, settings.image_size, settings.batch_size, device)
        save_model({f"features.{k}": v for k, v in model.features.state_dict().items()}, Path(encoder))
        model.head = nn.Identity()
        patches = Patches(pack, device)
        network = Network(model, settings.image_size, compute)
        count, width = len(patches.pixels), description["width"]
        logging.info("embedding %d patches in %s on %s", count, compute, device_name(device))
        # The next attempt may be on another machine, which computes in another format.
        facts = [settings, code, str(compute), library_versions(), *file_facts([pack, settings.weights])]
        with kept_parts(features, facts) as parts, replacing(features) as made, open(made, "wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
            np.lib.format.write_array_header_1_0(file, header)
            for rows in torch.arange(count).split(CHUNK):
                embed = partial(_embed, network, patches, rows, micro_batch)
                file.write(parts.array(f"{int(rows[0]):012d}", embed).tobytes())
        seconds = time.perf_counter() - started
        logging.info("embedded %d patches, %.0f img/s", count, count / seconds)
        facts = {
            "model": description,
            "image_size": settings.image_size,
            "layout": compute.layout,
            "precision": compute.precision,
            "micro_batch": micro_batch,
            "device": device_name(device),
            "seconds": round(seconds, 3),
            "libraries": library_versions(),
        }
        write_json(facts, report)


def _embed(network: Network, patches: Patches, rows: torch.Tensor, micro_batch: int) -> np.ndarray:
    return network.predict(patches, rows, micro_batch).cpu().numpy()
