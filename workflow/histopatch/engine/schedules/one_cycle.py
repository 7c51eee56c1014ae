"""One cycle: up to the learning rate and down to almost nothing (Smith & Topin, arXiv 1708.07120, 2017)."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR


def make(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """A schedule that rises from a 25th of the rate for three tenths of `steps`, and falls to 1/250,000.

    warmup: not used, because the cycle begins with one.
    The momentum (the first beta of Adam) stays as it is: cycling it is another idea.
    """
    highest = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, highest, total_steps=steps + 1, cycle_momentum=False)
