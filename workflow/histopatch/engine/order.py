"""The order in which the patches of an epoch are seen: shuffled, or balanced."""

import torch
from torch import Tensor


def epoch_order(patches: int, count: int, groups: list[Tensor], generator: torch.Generator) -> Tensor:
    """Which of the patches are seen, one after the other: places in the training part, int64, on the CPU.

    patches: how many there are; count: how many are seen. groups: the number of each patch's group (N), level
    by level, for example its class, then its slide. Without levels the patches are shuffled. With levels
    every group of the first one has its turn before any has its second, whatever its size, and within a group
    those of the next level likewise; the patches of a group come in shuffled rounds.
    """
    return _stream(torch.arange(patches), count, groups, generator)


def _stream(members: Tensor, count: int, groups: list[Tensor], generator: torch.Generator) -> Tensor:
    """`count` of the members, as often as it takes."""
    if not groups:
        rounds = -(-count // len(members))
        shuffled = [torch.randperm(len(members), generator=generator) for _ in range(rounds)]
        return members[torch.cat(shuffled)[:count]]
    numbers, below = groups[0][members], groups[1:]
    known = numbers.unique()
    rounds = -(-count // len(known))
    # Each round is a shuffled list of all groups.
    turns = torch.rand(rounds, len(known), generator=generator).argsort(1).flatten()[:count]
    order = torch.empty(count, dtype=torch.int64)
    for turn, number in enumerate(known):
        places = (turns == turn).nonzero()[:, 0]
        if len(places):
            order[places] = _stream(members[numbers == number], len(places), below, generator)
    return order
