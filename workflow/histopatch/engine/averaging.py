"""Averages of the weights, which are evaluated and kept in place of the last ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, update_bn

from histopatch.engine.network import Network
from histopatch.engine.parts import even_parts
from histopatch.engine.patches import Patches
from histopatch.settings import Settings


class Averaging:
    """Follows the weights of a network through a training and averages them where that is asked for.

    `ema`: an exponential average over the steps. `swa`: the mean over the ends of the last epochs, with batch
    statistics of its own (Izmailov et al., UAI 2018). Without either there is no average.
    """

    def __init__(self, network: Network, settings: Settings):
        self.trained, self.by_step = network, bool(settings.ema)
        self.last = settings.epochs
        self.first = settings.epochs + 1 - max(1, round(settings.swa * settings.epochs))
        self.average = None
        if settings.ema:
            self.average = AveragedModel(
                network.model, multi_avg_fn=exponential(settings.ema), use_buffers=True
            )
        elif settings.swa:
            self.average = AveragedModel(network.model)

    def after_step(self) -> None:
        """To be called after each step of the optimiser."""
        if self.by_step:
            self.average.update_parameters(self.trained.model)

    def after_epoch(self, epoch: int, patches: Patches, rows: Tensor, micro_batch: int) -> Network:
        """The network to evaluate after an epoch, which are counted from 1.

        rows: those of the training part, which a mean over epochs takes its batch statistics from: as they
        are, without augmentation, and about `micro_batch` at a time, as each batch counts the same.
        """
        if self.average is None:
            return self.trained
        if not self.by_step:
            if epoch >= self.first:
                self.average.update_parameters(self.trained.model)
            if epoch < self.last:
                return self.trained
            if not self.trained.model.frozen:  # else they are those of the weights to start from
                batches = patches.batches(rows, even_parts(len(rows), micro_batch))
                update_bn(map(self.trained.images, batches), self.average.module)
        return replace(self.trained, model=self.average.module, compiled=None)

    def state_dict(self) -> dict:
        return {} if self.average is None else self.average.state_dict()

    def load_state_dict(self, state: dict) -> None:
        if self.average is not None:
            self.average.load_state_dict(state)


def exponential(decay: float) -> Callable:
    """What `AveragedModel` averages weights and batch statistics with.

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

    return update
