"""Ensembles: the predictions of several networks as one, averaged as probabilities, as logits or as ranks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from histopatch.statistics.logits import clipped_logits


class Ensemble(NamedTuple):
    """What a final model is an average of: the networks of so many members, each with as many folds."""

    members: int = 1
    average: str = "probability"

    def predict(self, networks: np.ndarray, references: Sequence[np.ndarray] = ()) -> dict[str, np.ndarray]:
        """The columns of a table of predictions from those of K networks (K×N), one member after the other.

        `probability` is the average of all networks; where there are several members, `member_1` and so on
        are what each of them predicts alone, with its folds. references: as in `average`.
        """
        values = {"probability": average(networks, self.average, references)}
        if self.members > 1:
            folds = len(networks) // self.members
            for member in range(self.members):
                own = slice(member * folds, (member + 1) * folds)
                values[f"member_{member + 1}"] = average(networks[own], self.average, references[own])
        return values


def average(networks: np.ndarray, by: str, references: Sequence[np.ndarray] = ()) -> np.ndarray:
    """One value in [0, 1] for each of N patches from the probabilities of K networks (K×N), equally weighted.

    by: `probability`, their mean; `logit`, the sigmoid of their mean logit, with probabilities clipped to
    2⁻²⁴ from 0 and 1; `rank`, the mean of their ranks, each as in `rank` with the network's reference.
    references: for ranks only, K lists of probabilities that the networks gave to patches they had not seen.
    """
    if by == "rank":
        networks = np.stack([rank(own, known) for own, known in zip(networks, references, strict=True)])
    if by == "logit":
        return expit(np.mean(clipped_logits(networks), axis=0))
    return np.mean(networks, axis=0)


def rank(probabilities: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The share of a reference (M probabilities) that lies below each of N probabilities, ties counting half.

    Linear between the values of the reference, and from them to 0 and 1: where probabilities differ the
    ranks do, and a patch has the same rank whatever other patches are ranked with it.

    Hyndman & Fan, Sample Quantiles in Statistical Packages, The American Statistician 1996, definition 5,
    read from quantile to share.
    """
    return np.interp(probabilities, *rank_curve(reference))


def rank_curve(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in ascending order, from 0 to 1, and the `rank` of each, which is linear between them."""
    values, counts = np.unique(reference, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / len(reference)
    ends = slice(int(values[0] == 0), len(values) + 2 - int(values[-1] == 1))
    knots, ranks = np.concatenate([[0.0], values, [1.0]]), np.concatenate([[0.0], shares, [1.0]])
    return knots[ends], ranks[ends]
