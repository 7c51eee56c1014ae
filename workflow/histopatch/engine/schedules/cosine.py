"""Half a cosine from the learning rate down to zero (Loshchilov & Hutter, ICLR 2017, without restarts)."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler


def make(optimizer: Optimizer, steps: int) -> LRScheduler:
    """A schedule that reaches zero after `steps`, those of the whole training."""
    return CosineAnnealingLR(optimizer, T_max=steps)
