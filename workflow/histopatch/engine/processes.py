"""The processes that train one network, each on a device of its own: usually one alone.

All hold the same weights, draw the same order and augmentation from the same seed, and take their share of
each batch; what they compute is put together by `torch.distributed`. Gradients are added up here rather than
by `DistributedDataParallel`, whose mean over processes would weigh the patches of a smaller share more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from histopatch.engine.network import Network
from histopatch.engine.patches import Patches

LEAST = 2  # patches of a share: batch normalisation has nothing to normalise a lone one with


@dataclass(frozen=True)
class Share:
    """What a process takes of a batch; it may be nothing."""

    places: slice  # in the order of the epoch
    batch: int  # patches of the whole batch

    @property
    def size(self) -> int:
        return self.places.stop - self.places.start


class Processes:
    """A process that trains alone: its share is everything, and there is nobody to hear from."""

    rank, count = 0, 1

    def shares(self, patches: int, batch_size: int) -> list[Share]:
        """What this process takes of each batch of an epoch of so many patches.

        A batch is cut into equal parts, whose sizes differ by one at most. Of a last batch that is too small
        for all of them the first processes take at least two patches each, and the others nothing.
        """
        shares = []
        for start in range(0, patches, batch_size):
            batch = min(batch_size, patches - start)
            taking = max(1, min(self.count, batch // LEAST))
            ends = [start + batch * min(rank, taking) // taking for rank in (self.rank, self.rank + 1)]
            shares.append(Share(slice(*ends), batch))
        return shares

    def part(self, rows: Tensor) -> Tensor:
        """What this process takes of rows that are to be seen once."""
        return rows.tensor_split(self.count)[self.rank]

    def add_gradients(self, model: nn.Module, loss: Tensor) -> Tensor:
        """Add up the gradients of all processes in place, and return the sum of their losses."""
        return loss

    def average_statistics(self, *models: nn.Module) -> None:
        """Give the models of all processes the mean of their running statistics, in place."""

    def predict(self, network: Network, patches: Patches, rows: Tensor, micro_batch: int) -> Tensor:
        """As `Network.predict`, each process its part of the rows; all of them get all logits."""
        return network.predict(patches, rows, micro_batch)

    def gather(self, value: Any) -> list:
        """The values of all processes, by rank; any that can be pickled."""
        return [value]

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, which can be pickled."""
        return make()


ALONE = Processes()


class Group(Processes):
    """One of several processes, between which `torch.distributed` has been set up."""

    def __init__(self):
        self.rank, self.count = dist.get_rank(), dist.get_world_size()

    def add_gradients(self, model: nn.Module, loss: Tensor) -> Tensor:
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:  # this process had no patch
                parameter.grad = torch.zeros_like(parameter)
        *_, total = _reduce([*(parameter.grad for parameter in learning), loss])
        return total

    def average_statistics(self, *models: nn.Module) -> None:
        buffers = {id(buffer): buffer for model in models for buffer in model.buffers()}
        floats = [buffer for buffer in buffers.values() if buffer.is_floating_point()]
        if floats:
            for buffer in _reduce(floats):
                buffer /= self.count
        for counter in buffers.values():
            if not counter.is_floating_point():
                dist.broadcast(counter, 0)  # the first process has a share of every batch

    def predict(self, network: Network, patches: Patches, rows: Tensor, micro_batch: int) -> Tensor:
        sizes = [len(part) for part in rows.tensor_split(self.count)]
        logits = network.predict(patches, self.part(rows), micro_batch)
        padded = F.pad(logits, (0, max(sizes) - len(logits)))  # all have to send as many
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    def gather(self, value: Any) -> list:
        values = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def from_first(self, make: Callable[[], Any]) -> Any:
        made = [make() if self.rank == 0 else None]
        dist.broadcast_object_list(made)
        return made[0]


@torch.no_grad()
def _reduce(tensors: list[Tensor]) -> list[Tensor]:
    """Add up the tensors of all processes, in place and in one message; returns them."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, piece in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(piece.view(tensor.shape))
    return tensors
