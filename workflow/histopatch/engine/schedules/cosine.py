"""Half a cosine from the learning rate down to zero (Loshchilov & Hutter, ICLR 2017, without restarts)."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

from histopatch.engine.schedules.warmup import after_warmup


def make(optimizer: Optimizer, steps: int, warmup: float) -> LRScheduler:
    """A schedule that reaches zero after `steps`, those of the whole training."""
    return after_warmup(optimizer, steps, warmup, lambda steps: CosineAnnealingLR(optimizer, T_max=steps))
