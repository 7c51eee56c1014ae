"""A small labelled pack on disk, a small network, and the settings of a short training."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from histopatch.backbones.catalogue import BACKBONES, Backbone
from histopatch.engine import phases, trial
from histopatch.engine.formats import Format
from histopatch.engine.loop import Subset
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.settings import Settings

CPU = torch.device("cpu")
SIZE = 32
TRAIN, VALIDATION = 30, 12


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Clock:
    """Time in seconds that passes only where a test says so, however busy the machine is."""

    now = 0.0

    def perf_counter(self) -> float:
        self.now += 1e-6
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """What measures the formats and the phases of a training, in place of the module `time`."""
    clock = Clock()
    for module in (phases, trial):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def settings() -> Settings:
    return Settings(
        backbone="resnet18",
        image_size=SIZE,
        dropout=0.2,
        batch_size=8,
        epochs=2,
        lr=1e-2,
        weight_decay=1e-2,
        seed=3,
        split="main",
        augmentation={"flips": True, "rotation": 90.0},
    )


@dataclass
class Data:
    """A pack with its tables, in files and in memory."""

    folder: Path
    pixels: np.ndarray  # uint8 N×SIZE×SIZE×3, in the order of the pack
    table: pd.DataFrame  # id, label, fold, row; not in the order of the pack

    @property
    def files(self) -> dict[str, str]:
        names = {"pack": "train.npy", "index": "train.index.parquet", "split": "main.csv"}
        return {key: str(self.folder / name) for key, name in names.items()}

    @property
    def patches(self) -> Patches:
        return Patches(self.files["pack"], CPU)

    def subset(self, fold: int) -> Subset:
        table = self.table[self.table.fold == fold]
        return Subset(torch.tensor(table.row.to_numpy()), torch.tensor(table.label.to_numpy(np.float32)))

    @property
    def subsets(self) -> dict[str, Subset]:
        return {"train": self.subset(-1), "validation": self.subset(0)}


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Data:
    """Noise in which positives are redder; rows of the pack that no split has lie in between."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    count = TRAIN + VALIDATION
    pixels = rng.integers(0, 180, (count + 3, SIZE, SIZE, 3), np.uint8)
    rows = rng.permutation(count + 3)[:count]
    labels = rng.permutation(np.arange(count) % 3 == 0).astype(int)
    folds = rng.permutation([-1] * TRAIN + [0] * VALIDATION)
    pixels[rows, ..., 0] += (40 * labels).astype(np.uint8)[:, None, None]
    ids = [f"{row:03d}" for row in rows]  # ids that would not survive as numbers
    table = pd.DataFrame({"id": ids, "label": labels, "fold": folds, "row": rows})
    np.save(folder / "train.npy", pixels)
    table[["id", "row"]].sort_values("row").to_parquet(folder / "train.index.parquet", index=False)
    split = table[["id", "label"]].assign(slide="", fold=folds)
    split.to_csv(folder / "main.csv", index=False)
    return Data(folder, pixels, table)


TINY = Backbone(
    "tiny",
    "tiny",
    "fc",
    "0",
)


class Tiny(nn.Sequential):
    """A convolution and a logit, in place of a classifier."""

    backbone, frozen = TINY, False

    def __init__(self, dropout: float = 0.0, norm: bool = False):
        batch_norm = [nn.BatchNorm2d(6)] if norm else []
        pooled = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)]
        super().__init__(nn.Conv2d(3, 6, 3, stride=2), *batch_norm, *pooled, nn.Linear(6, 1))

    def forward(self, images):
        return super().forward(images).squeeze(1)

    @property
    def layers(self) -> list[list[nn.Parameter]]:
        learning = [list(layer.parameters()) for layer in reversed(self)]
        return [layer for layer in learning if layer]


class Limited(nn.Module):
    """A model with memory for `patches` at a time, which is also short at the calls `fails` of training."""

    def __init__(self, model: nn.Module, patches: int, fails: tuple[int, ...] = ()):
        super().__init__()
        self.model, self.patches, self.fails = model, patches, fails
        self.backbone = TINY
        self.sizes: list[int] = []  # patches of each call of training

    def forward(self, images):
        if self.training:
            self.sizes.append(len(images))
        if len(images) > self.patches or (self.training and len(self.sizes) in self.fails):
            raise torch.OutOfMemoryError("out of memory")
        return self.model(images)


@pytest.fixture
def tiny() -> type[Tiny]:
    """The class, for models that behave badly."""
    return Tiny


@pytest.fixture
def tiny_settings(settings, monkeypatch) -> Settings:
    """Settings with a backbone that trains in no time, from a source of its own."""

    def create(architecture: str) -> nn.Module:
        features = nn.Sequential(*list(Tiny(norm=True))[:-2])
        features.add_module("fc", nn.Linear(6, 2))
        return features

    source = SimpleNamespace(create=create)
    monkeypatch.setitem(sys.modules, "histopatch.backbones.tiny", source)
    monkeypatch.setitem(BACKBONES, "tiny", TINY)
    return replace(settings, backbone="tiny")


@pytest.fixture
def network():
    """A small network with weights drawn from a seed, or around the model that is given."""

    def make(model: nn.Module | None = None, precision: str = "fp32", **options) -> Network:
        torch.manual_seed(0)
        return Network(model or Tiny(**options), SIZE, Format("contiguous", precision))

    return make


@pytest.fixture
def limited_network(network):
    """The same network where memory is short."""

    def make(patches: int, fails: tuple[int, ...] = ()) -> Network:
        limited = network()
        limited.model = Limited(limited.model, patches, fails)
        return limited

    return make
