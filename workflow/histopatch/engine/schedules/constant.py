"""A constant learning rate."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from histopatch.engine.schedules.warmup import after_warmup


def make(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """A schedule that keeps the learning rate once it is warm."""
    return after_warmup(optimizer, steps, warmup, lambda steps: ConstantLR(optimizer, factor=1.0))
