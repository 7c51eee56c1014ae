"""What processes of a test do together; run as a command by `workers.together`."""

import os
import signal
import time

import numpy as np
import torch
from torch import nn

from histopatch.backbones.catalogue import Backbone
from histopatch.engine.formats import Format
from histopatch.engine.loop import Subset, fit
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.engine.processes import Processes
from histopatch.engine.workers import serve
from histopatch.errors import InputError, RunError
from histopatch.settings import Settings

CPU = torch.device("cpu")
TIMES = ("seconds", "images_per_second")


class Small(nn.Sequential):
    """A convolution and a logit, in place of a classifier."""

    backbone, frozen = Backbone("small", "small", "fc", "0"), False

    def __init__(self, dropout: float, norm: bool):
        pooled = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)]
        super().__init__(nn.Conv2d(3, 6, 3, stride=2), *[nn.BatchNorm2d(6)] * norm, *pooled, nn.Linear(6, 1))

    def forward(self, images):
        return super().forward(images).squeeze(1)

    @property
    def layers(self) -> list[list[nn.Parameter]]:
        return [list(layer.parameters()) for layer in reversed(self) if list(layer.parameters())]


class Watched(Patches):
    """Notes which rows are read in batches of unequal sizes, as in training."""

    def __init__(self, path: str):
        super().__init__(path, CPU)
        self.seen: list[list[int]] = []

    def batches(self, rows, batch_size):
        if not isinstance(batch_size, int):
            self.seen.append(rows.tolist())
        return super().batches(rows, batch_size)


def train(
    processes: Processes, pack: str, labels: np.ndarray, settings: Settings, norm: bool, seed: int, saved=None
) -> dict:
    """Train on all rows of a pack but the last twelve, which validate; what it comes to."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network(Small(settings.dropout, norm), settings.image_size, Format("contiguous", "fp32"))
    rows, targets = torch.arange(len(labels)), torch.tensor(labels, dtype=torch.float32)
    train, validation = (Subset(rows[part], targets[part]) for part in (slice(-12), slice(-12, None)))
    patches, states = Watched(pack), []
    torch.manual_seed(seed + processes.rank)
    done, logits = fit(
        network, settings, patches, train, validation, settings.batch_size // processes.count,
        saved, lambda state: states.append(copied(state)), processes,
    )  # fmt: skip
    return {
        "weights": {name: tensor.tolist() for name, tensor in network.model.state_dict().items()},
        "history": [{k: v for k, v in row.items() if k not in TIMES} for row in done.history],
        "logits": logits.tolist(),
        "kept": done.kept_epoch,
        "seen": processes.gather(patches.seen),
        "states": states,
    }


def copied(value):
    """A state as it is now: what `torch.save` would write."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def train_all(processes: Processes, pack: str, labels: np.ndarray, asked: dict, going_on: Settings) -> dict:
    """Train with each of the settings, and with `going_on` once more from the state of its first process."""
    results = {name: train(processes, pack, labels, *options) for name, options in asked.items()}
    whole = train(processes, pack, labels, going_on, norm=True, seed=1)
    state = processes.from_first(lambda: whole["states"][0])
    resumed = train(processes, pack, labels, going_on, norm=True, seed=99, saved=state)
    everywhere = processes.gather([whole["weights"], whole["history"], whole["logits"]])
    return {**results, "whole": whole, "resumed": resumed, "everywhere": everywhere}


def misbehave(how: str) -> None:
    """What a worker does wrong."""
    match how:
        case "input":
            raise InputError("patch 7: is no patch; remove it")
        case "run":
            raise RunError("training diverged in epoch 3; lower lr")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "bug":
            raise KeyError("a bug")
        case "silent":  # until it is ended
            time.sleep(600)


def work(processes: Processes, device: torch.device, how: str = "", **asked) -> None:
    if how:
        misbehave(how)
    else:
        train_all(processes, **asked)


if __name__ == "__main__":
    serve(work)
