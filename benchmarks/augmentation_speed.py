"""What each augmentation and stain normalisation costs on a CPU, beside a training step.

    python benchmarks/augmentation_speed.py

Processor time of one thread for a batch of 64 synthetic patches of 96 px, the fastest of several rounds, each
augmentation at the strength that the schema gives as its example. The step is a forward and backward pass of
EfficientNet-Lite0 in float32. A cost is what an operation adds to a preparation without it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import torch
from machine import describe_machine, table

from histopatch import components
from histopatch.augmentation.draws import draw
from histopatch.augmentation.prepare import prepare
from histopatch.backbones.catalogue import BACKBONES, IMAGENET_MEAN, IMAGENET_STD
from histopatch.cores import ENVIRONMENT
from histopatch.data.tissue import draw_patch, draw_slide
from histopatch.schema import augmentation_examples, stain_methods
from histopatch.stain.normaliser import fit

BATCH, SIZE, ROUNDS = 64, 96, 20
BACKBONE = "efficientnet_lite0"


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    if not ENVIRONMENT.items() <= os.environ.items():  # as a job has it, before libraries are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ENVIRONMENT)
    torch.set_num_threads(1)
    slides = [draw_slide(np.random.default_rng(slide)) for slide in range(8)]
    drawn = [draw_patch(np.random.default_rng([9, i]), slides[i % 8], i // 8 % 2) for i in range(BATCH)]
    pixels, targets = torch.from_numpy(np.stack(drawn)), torch.zeros(BATCH)
    (step,) = seconds(training_step(), rounds=3)

    def plain() -> None:
        prepared(pixels, targets, {})

    costs = {"cast, sampling pass, normalisation": seconds(plain)[0]}
    for name, strength in augmentation_examples().items():
        if name not in components.GEOMETRY:  # which is part of the sampling pass
            spent, base = seconds(lambda asked={name: strength}: prepared(pixels, targets, asked), plain)
            costs[f"{name}: {strength:g}"] = spent - base
    for method in stain_methods():
        normaliser = fit(method, [pixels])
        spent, base = seconds(lambda given=normaliser: prepared(pixels, targets, {}, given), plain)
        costs[f"stain_normalisation: {method}"] = spent - base
    rows = [
        {"what": what, "ms a batch": 1000 * cost, "patches/s": BATCH / cost, "% of a step": 100 * cost / step}
        for what, cost in {**costs, f"step of {BACKBONE}": step}.items()
    ]
    print(describe_machine(), table(rows), sep="\n\n")


def prepared(
    pixels: torch.Tensor, targets: torch.Tensor, augmentation: dict, normaliser=None
) -> torch.Tensor:
    """The input of a network, from packed patches on, with what draws it."""
    draws = draw(BATCH, augmentation, torch.Generator().manual_seed(0))
    mixed, _ = draws.mix(pixels, targets)
    return prepare(mixed, SIZE, IMAGENET_MEAN, IMAGENET_STD, draws, normaliser)


def training_step() -> Callable[[], None]:
    """A forward and backward pass."""
    row = BACKBONES[BACKBONE]
    model = components.load(f"backbones.{row.source}").create(row.architecture).train()
    model.to(memory_format=torch.channels_last)
    images = torch.randn(BATCH, 3, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    return lambda: model(images).sum().backward()


def seconds(*works: Callable[[], None], rounds: int = ROUNDS) -> list[float]:
    """Processor time of the fastest round of each of several works, which take turns."""
    fastest = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            started = time.thread_time()
            work()
            fastest[i] = min(fastest[i], time.thread_time() - started)
    return fastest


if __name__ == "__main__":
    main()
