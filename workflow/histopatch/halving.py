"""Successive halving: all runs of a study train for some epochs, and only the better ones go on from there.

A rung ends after a number of epochs. Each next one ends after 1 / keep times as many, for keep times as many
runs, so all rungs cost about the same. The learning rate follows the schedule of the whole training: a rung
merely stops early.

Jamieson & Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS 2016.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Halving:
    first: int  # epochs of the first rung
    keep: float  # the share that goes on after each

    def rungs(self, epochs: int, candidates: int) -> dict[int, int]:
        """How many candidates go on after each rung, by the epochs after which it ends, in their order.

        epochs: those of a whole training, which no rung reaches; candidates: how many begin. There is no
        rung for a single one.
        """
        left_after, end, left = {}, self.first, candidates
        while end < epochs and left > 1:
            left = min(_up(left * self.keep), left - 1)
            left_after[end] = left
            end = _up(end / self.keep)
        return left_after


def rung_file(epochs: int) -> str:
    """The file in which a training that pauses after so many epochs writes what it has measured."""
    return f"rung-{epochs}.json"


def _up(number: float) -> int:
    """Round up, but not for an error of the last digits."""
    return math.ceil(round(number, 9))
