"""Heads on banked features: a linear layer, a small perceptron, or scikit-learn's logistic regression.

They are trained on the CPU, in float32: so small that a core each will do, they leave the GPUs to those who
need them. The first two train in the loop that all runs share, on a classifier whose encoder is an identity;
the third has its own solver. What a run keeps is the whole classifier, encoder included, so that it predicts
like any.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from histopatch import components
from histopatch.backbones.catalogue import Backbone
from histopatch.backbones.classifier import Classifier
from histopatch.engine import loop
from histopatch.engine.formats import Format
from histopatch.engine.loop import Progress, Subset
from histopatch.engine.network import Network
from histopatch.engine.processes import ALONE, Processes
from histopatch.settings import Settings
from histopatch.statistics.area import auroc

HIDDEN = 256  # units of the perceptron
ITERATIONS, TOLERANCE = 1000, 1e-6  # of the solver, at most; of its gradient


class Features:
    """Reads rows of a bank as tensors, in place of `engine.patches.Patches`."""

    device = torch.device("cpu")

    def __init__(self, path: str):
        """path: the file of features, beside which lie the encoder and the report."""
        self.path = Path(path)
        # In the page cache, which heads that train side by side share. Nobody writes to it, but torch warns
        # of memory that is read only.
        self.values = torch.from_numpy(np.load(path, mmap_mode="c"))
        self.report = json.loads(self.path.with_suffix(".json").read_text())

    @property
    def encoder(self) -> Path:
        return self.path.with_suffix(".safetensors")

    def batches(self, rows: Tensor, batch_size: int | list[int]) -> Iterator[Tensor]:
        """Yield the features of `rows` in order, float32 n×W; batch_size: as of `Patches.batches`."""
        for batch in rows.split(batch_size):
            yield self.values[batch]


class Encoded(nn.Identity):
    """In place of an encoder: its features come out of the bank."""

    def __init__(self, width: int):
        super().__init__()
        self.head_hidden_size = width

    def reset_classifier(self, classes: int) -> None:
        """There is none, as in a network of timm whose head was taken off."""


@dataclass
class Head(Network):
    """A classifier whose patches are encoded already."""

    features: Features | None = None

    def images(self, pixels: Tensor, draws=None, size=None) -> Tensor:
        return pixels

    @property
    def predicts_in(self) -> Format:
        """That of the encoder, with which the head predicts."""
        return Format(self.features.report["layout"], self.features.report["precision"])

    def weights(self) -> dict[str, Tensor]:
        """Those of the encoder and the head."""
        return {**safetensors.torch.load_file(self.features.encoder), **self.model.state_dict()}


def make_network(settings: Settings, features: Features) -> tuple[Head, int, dict]:
    """The head of a run, drawn from its seed; the counterpart of `engine.train.make_network`."""
    report = features.report
    row = {field.name: report["model"][field.name] for field in fields(Backbone)}
    torch.manual_seed(settings.seed)
    hidden = HIDDEN if settings.feature_head == "mlp" else 0
    encoded = Encoded(report["model"]["width"])
    model = Classifier(encoded, Backbone(**row), settings.dropout, frozen=True, hidden=hidden)
    network = Head(model, report["image_size"], Format("contiguous", "fp32"), features=features)
    return network, report["micro_batch"], {}


def fit(
    network: Head,
    settings: Settings,
    features: Features,
    train: Subset,
    validation: Subset,
    micro_batch: int,
    saved: dict | None = None,
    save: Callable[[dict], None] = lambda state: None,
    processes: Processes = ALONE,
) -> tuple[Progress, Tensor]:
    """Train a head; as `engine.loop.fit`. micro_batch: of the encoder, which predicts with the head.

    Features take little memory, so a batch of them goes through the head at once.
    """
    if settings.feature_head == "logistic_regression":
        return _regress(network, settings, features, train, validation, micro_batch)
    whole = settings.batch_size
    done, logits = loop.fit(network, settings, features, train, validation, whole, saved, save, processes)
    done.micro_batch = micro_batch
    return done, logits


def _regress(
    network: Head,
    settings: Settings,
    features: Features,
    train: Subset,
    validation: Subset,
    micro_batch: int,
) -> tuple[Progress, Tensor]:
    """Minimise the mean loss plus weight_decay / 2 times the squared weights, on standardised features."""
    from sklearn.linear_model import LogisticRegression  # which takes seconds that the others do not need

    started = time.perf_counter()
    inputs, labels = features.values[train.rows].numpy(), train.labels.numpy()
    mean, std = inputs.mean(0), inputs.std(0)
    std[std == 0] = 1
    inputs -= mean  # in place, as of millions of patches they are many
    inputs /= std
    weighted = np.where(labels == 1, (labels == 0).sum() / max(1, labels.sum()), 1.0)
    solver = LogisticRegression(
        C=1 / (settings.weight_decay * len(labels)) if settings.weight_decay else np.inf,
        max_iter=ITERATIONS,
        tol=TOLERANCE,
    )
    solver.fit(inputs, labels, sample_weight=weighted if settings.pos_weight else None)
    weight = solver.coef_[0] / std
    linear = network.model.head[-1]
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(weight)[None])
        linear.bias.copy_(torch.tensor(solver.intercept_ - weight @ mean))
    trained = time.perf_counter()
    loss_function = components.load(components.loss(settings)).make(train.labels, settings)
    fitted, logits = (network.predict(features, part.rows, micro_batch) for part in (train, validation))
    row = {
        "epoch": 1,
        "train_loss": loss_function(fitted, train.labels).mean().item(),
        "val_loss": loss_function(logits, validation.labels).mean().item(),
        "val_auc": auroc(validation.labels.numpy(), logits.numpy()),
        "lr": 0.0,
        "seconds": time.perf_counter() - started,
        "images_per_second": len(labels) / (trained - started),
    }
    return (
        Progress([row], trained - started, time.perf_counter() - trained, micro_batch, kept_epoch=1),
        logits,
    )
