"""An exponential average of the weights over the steps of a training."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """A model that averages this one's weights and batch statistics; `update_parameters` after each step.

    decay: what is kept of the average in a step, less in the first ones: after n steps at most
    (1 + n) / (10 + n), so that the weights of the start do not stay in it.
    """

    @torch.no_grad()
    def update(average: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor) -> None:
        kept = min(decay, (1 + steps.item()) / (10 + steps.item()))  # on the CPU, so nothing waits
        if average[0].is_floating_point():  # all are of one type
            torch._foreach_lerp_(average, current, 1 - kept)
        else:
            torch._foreach_copy_(average, current)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
