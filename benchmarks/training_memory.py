"""The estimate of what a training on a CPU needs, beside what it takes.

    python benchmarks/training_memory.py

Each case is a process of its own with the environment of a job: it makes the network, tries the formats and
trains two epochs in fp32, on random patches. What it takes is its peak above what it held before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import psutil
from machine import describe_machine, peak_bytes, table

from histopatch import cores

# Backbone, image_size, batch_size, and whether only the head learns.
CASES = (
    ("resnet18", 96, 64, False), ("resnet18", 224, 16, False), ("resnet18", 224, 64, False),
    ("efficientnet_lite0", 96, 64, False), ("efficientnet_lite0", 224, 16, False),
    ("efficientnet_lite0", 224, 64, False), ("efficientnet_lite0", 224, 64, True),
    ("efficientnet_b0", 160, 32, False), ("efficientnet_b0", 224, 16, False),
    ("efficientnet_b0", 224, 64, False),
)  # fmt: skip
# Patches that train and that validate, in batches: with smaller ones at the end, and of another size.
TRAIN, VALIDATION = 3.25, 10.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", help=argparse.SUPPRESS)
    case = parser.parse_args().case
    if case:
        print(json.dumps(_measure(*json.loads(case))))
        return
    print(f"{describe_machine()}\n", flush=True)
    print(table([_in_its_own_process(*case) for case in CASES]))


def _in_its_own_process(*case: str | int | bool) -> dict:
    command = [sys.executable, __file__, "--case", json.dumps(case)]
    environment = os.environ | cores.ENVIRONMENT
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _measure(backbone: str, size: int, batch: int, frozen: bool) -> dict:
    import torch

    from histopatch.backbones.build import build
    from histopatch.engine.loop import Subset, fit
    from histopatch.engine.micro_batch import training_bytes
    from histopatch.engine.patches import Patches
    from histopatch.engine.phases import Phases
    from histopatch.engine.train import make_network
    from histopatch.settings import Settings

    torch.set_num_threads(cores.available_cores())
    settings = Settings(
        backbone=backbone, weights="none", image_size=size, batch_size=batch, epochs=2, precision="fp32",
        lr=1e-4, seed=0, split="main", freeze_backbone=frozen,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder, "train.npy")
        train, validation = int(TRAIN * batch), int(VALIDATION * batch)
        shape = (train + validation, 96, 96, 3)
        np.save(pack, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        patches, rows = Patches(str(pack), torch.device("cpu")), torch.arange(shape[0])
        build(settings)  # which loads the libraries; what is free is asked after that
        before = psutil.Process().memory_info().rss
        network, micro_batch, _ = make_network(settings, patches.device, Path(folder, "formats"), Phases())
        parts = (Subset(part, (part % 2).float()) for part in (rows[:train], rows[train:]))
        fit(network, settings, patches, *parts, micro_batch)
    taken, needed = peak_bytes() - before, training_bytes(network.model, size, micro_batch)
    return {
        "network": f"{backbone} {size} px" + (", frozen" if frozen else ""), "at a time": micro_batch,
        "estimate, GB": needed / 1e9, "taken, GB": taken / 1e9, "ratio": taken / needed,
    }  # fmt: skip


if __name__ == "__main__":
    main()
