"""Which patches are explained, and by which of the networks of a final model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.data.folds import HELD_OUT
from histopatch.evaluation.predictions import Predictions

PER_CLASS = 100  # patches of each class in the sample: seconds to half a minute on a CPU
EXTREMES = 4  # most confident predictions of each kind
SEED = 0


def balanced_sample(labels: np.ndarray, per_class: int = PER_CLASS) -> np.ndarray:
    """Places of `per_class` randomly drawn patches of each class, ascending; all of a class with fewer.

    labels: N of 0 and 1. The same labels in the same order give the same sample.
    """
    generator = np.random.default_rng(SEED)
    members = [np.flatnonzero(labels == label) for label in (0, 1)]
    drawn = [generator.choice(these, min(per_class, len(these)), replace=False) for these in members]
    return np.sort(np.concatenate(drawn))


def most_confident(predictions: Predictions, each: int = EXTREMES) -> np.ndarray:
    """Places of the `each` most confident right and wrong predictions of each class, for a threshold of 1/2.

    Label 0 before 1, right before wrong, the most confident first; all of a kind with fewer.
    """
    labels, probabilities = predictions.labels, predictions.probabilities
    wrong = (probabilities >= 0.5) != labels
    order = np.lexsort([-np.abs(probabilities - 0.5), wrong, labels])
    kinds = pd.Series(2 * labels + wrong)[order]
    return order[kinds.groupby(kinds).cumcount() < each]


def choose_networks(folds: np.ndarray, validated: Sequence[int]) -> np.ndarray:
    """A network that did not train on it for each of N patches, as its place in `validated`.

    folds: N, the fold of each patch, HELD_OUT for one that no network trained on; validated: the fold that
    each network validated on. Where several networks would do, they take turns.
    """
    networks = np.empty(len(folds), int)
    for fold in np.unique(folds):
        able = [place for place, own in enumerate(validated) if fold in (own, HELD_OUT)]
        networks[folds == fold] = np.resize(able, (folds == fold).sum())
    return networks
