"""A small convolutional network that trains in seconds, and packs whose classes differ by a mark."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from histopatch.backbones.catalogue import BACKBONES, Backbone
from histopatch.backbones.classifier import Classifier
from histopatch.engine.formats import Format
from histopatch.engine.network import Network
from histopatch.engine.train import train_run
from histopatch.settings import Settings

SIZE = 96
SMALL = Backbone("small", "small", "fc", "last")
RUNTIME = {"device": "cpu", "workers": 1, "on_failure": "stop"}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def create(architecture: str = "small") -> nn.Module:
    """Feature maps of 11×11 cells, each of which sees 15×15 pixels of 96×96; their mean under a head."""
    layers = {
        "first": nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU()),
        "second": nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU()),
        "last": nn.Sequential(nn.Conv2d(16, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU()),
        "pool": nn.AdaptiveAvgPool2d(1),
        "flat": nn.Flatten(),
        "fc": nn.Linear(16, 2),
    }
    network = nn.Sequential()
    for name, layer in layers.items():
        network.add_module(name, layer)
    return network


@pytest.fixture
def small_network() -> Network:
    """That network with random weights, in evaluation mode."""
    torch.manual_seed(0)
    model = Classifier(create(), SMALL, dropout=0.1).eval()
    return Network(model, SIZE, Format("contiguous", "fp32"))


@dataclass
class Trained:
    """The files of a run, of its pack and of its split."""

    folder: Path

    def of_folds(self, name: str) -> list[str]:
        return [str(path) for path in sorted(self.folder.glob(f"run/fold-*/{name}"))]

    @property
    def data(self) -> dict[str, str]:
        names = {"pack": "train.npy", "index": "train.index.parquet", "split": "main.csv"}
        return {key: str(self.folder / name) for key, name in names.items()}


@pytest.fixture
def train_on_mark(tmp_path, monkeypatch):
    """Train on noise in which positives have a bright mark in the centre or in the border."""
    monkeypatch.setitem(sys.modules, "histopatch.backbones.small", SimpleNamespace(create=create))
    monkeypatch.setitem(BACKBONES, "small", SMALL)

    def train(place: str, folds: int = 1, count: int = 360, epochs: int = 8) -> Trained:
        folder = tmp_path / place
        trained = Trained(folder)
        write_marked(folder, place, folds, count)
        settings = Settings(
            backbone="small", image_size=SIZE, batch_size=16, epochs=epochs, lr=1e-2, seed=2, split="main"
        )
        for fold in range(folds):
            train_run(
                settings, asdict(settings), fold, **trained.data, folder=str(folder / f"run/fold-{fold}"),
                code="c0de", formats=str(tmp_path / "formats"), runtime=RUNTIME, threads=1,
            )  # fmt: skip
        return trained

    return train


def write_marked(folder: Path, place: str, folds: int, count: int) -> None:
    """Write a pack, its index and its split of `count` patches, of which a third validates or is held out."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 160, (count, SIZE, SIZE, 3), np.uint8)
    labels = np.arange(count) % 2
    for row in np.flatnonzero(labels):
        y, x = mark_corner(rng, place)
        pixels[row, y : y + 12, x : x + 12] = 250
    ids = [f"{row:04d}" for row in range(count)]
    fold = np.arange(count) // 2 % 3
    fold = np.where(fold < folds, fold, -1)
    np.save(folder / "train.npy", pixels)
    pd.DataFrame({"id": ids, "row": range(count)}).to_parquet(folder / "train.index.parquet", index=False)
    slides = [f"s{row // 2 % 10}" for row in range(count)]
    table = pd.DataFrame({"id": ids, "label": labels, "slide": slides, "fold": fold})
    table.to_csv(folder / "main.csv", index=False)


def mark_corner(rng: np.random.Generator, place: str) -> tuple[int, int]:
    """The upper left corner of a mark of 12×12 pixels, wholly in the centre, or far from it in the border."""
    while True:
        y, x = rng.integers(0, SIZE - 12, 2)
        if place == "centre" and min(y, x) >= 32 and max(y, x) <= 52:
            return y, x
        if place == "border" and (min(y, x) <= 16 or max(y, x) >= 72):
            return y, x
