"""Warm-up: the learning rate rises linearly to its value before a schedule begins."""

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR, LRScheduler, SequentialLR

START = 0.01  # share of the learning rate in the first step


def after_warmup(
    optimizer: Optimizer, steps: int, warmup: float, make: Callable[[int], LRScheduler]
) -> LRScheduler:
    """The schedule that `make` returns for the steps which the warm-up leaves, after that.

    warmup: a share of `steps`, of which it leaves one at least; with 0 it is the schedule alone.
    """
    rising = min(round(steps * warmup), steps - 1)
    if not rising:
        return make(steps)
    rise = LinearLR(optimizer, start_factor=START, total_iters=rising)
    return SequentialLR(optimizer, [rise, make(steps - rising)], milestones=[rising])
