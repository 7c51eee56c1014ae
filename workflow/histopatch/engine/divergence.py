"""Divergence: a loss or logits that are not finite, noticed without waiting for the device in every step."""

import torch
from torch import Tensor

from histopatch.errors import RunError


class EpochLoss:
    """The loss of an epoch, which stays on the device until the epoch is over."""

    def __init__(self, device: torch.device):
        self.total = torch.zeros((), device=device)  # over the patches so far
        self.finite_steps = torch.zeros((), dtype=torch.int64, device=device)
        self.steps = self.patches = 0

    def add(self, loss: Tensor, patches: int) -> None:
        """Add the mean loss of a step over some patches."""
        self.total += loss * patches
        self.finite_steps += self.total.isfinite()  # a sum that is not finite never is again
        self.steps += 1
        self.patches += patches

    def first_not_finite(self) -> int | None:
        """The first step (from 1) whose loss was not finite, or None. Waits for the device."""
        finite = int(self.finite_steps)
        return None if finite == self.steps else finite + 1

    def mean(self) -> float:
        """The mean over all patches. Waits for the device."""
        return self.total.item() / self.patches


def diverged(what: str, lr: float, precision: str) -> RunError:
    """The error of a training that diverged. what: where, and what is not finite.

    The scaler of fp16 skips steps whose scaled gradients overflow, which is normal and no divergence. It
    scales after the loss, so a loss that is not finite is the network's own in any precision.
    """
    advice = "lower lr" if precision == "fp32" else "lower lr or use precision: fp32"
    return RunError(f"training diverged in {what} (lr {lr:g}, {precision}); {advice}")
