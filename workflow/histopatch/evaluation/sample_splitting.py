"""Sample splitting: choose a threshold on one half of the predictions and report it on the other."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from histopatch.errors import InputError
from histopatch.evaluation.predictions import Predictions


class Subset(NamedTuple):
    """Predictions of the final model on a subset of the patches, with the name that tables give it."""

    name: str
    predictions: Predictions


def split_in_half(subset: Subset) -> tuple[Subset, Subset]:
    """Split a subset at random into halves, stratified by label and by whole slides or patients if known.

    If there is only one slide, or a class is on one only, slides have to be divided, and the names of the
    halves say so. Raises InputError if a class has fewer than two patches, which `data.class_counts` refuses
    before any training.
    """
    labels, units = subset.predictions.labels, subset.predictions.units
    if np.bincount(labels, minlength=2).min() < 2:
        raise InputError(
            f"{subset.name}: at least two patches of each class are needed; increase validation_fraction"
        )
    name = subset.name
    half = None if units is not None and len(set(units)) < 2 else _random_half(labels, units)
    if half is None or min(len(set(labels[part])) for part in (half, ~half)) < 2:
        name, half = f"{name}, {subset.predictions.unit}s divided", _random_half(labels, None)
    return (
        Subset(f"one half of the {name}", subset.predictions.subset(half)),
        Subset(f"the other half of the {name}", subset.predictions.subset(~half)),
    )


def _random_half(labels: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """A mask (N booleans) of a random half, stratified by label, with whole units if given."""
    splitter = StratifiedKFold if units is None else StratifiedGroupKFold
    _, half = next(splitter(2, shuffle=True, random_state=0).split(labels, labels, units))
    return np.isin(np.arange(len(labels)), half)
