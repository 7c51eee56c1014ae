"""Two halves of a set of predictions: one to choose on, the other one to report on."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from histopatch.errors import InputError
from histopatch.evaluation.predictions import Kept


class Part(NamedTuple):
    """Predictions of the final model, and which patches they are of."""

    name: str
    kept: Kept


def halves(part: Part) -> tuple[Part, Part]:
    """Divide a part at random in two, the classes in proportion; slides stay whole where there are several.

    Where a class is on one slide only, its patches have to be divided, and the names say so. Raises
    InputError where a class has fewer than two patches.
    """
    labels, slides = part.kept.labels, part.kept.several_slides
    if np.bincount(labels, minlength=2).min() < 2:
        raise InputError(f"{part.name}: two of each class are needed; let more patches validate")
    name, chosen = part.name, _half(labels, slides)
    if slides is not None and min(len(set(labels[half])) for half in (chosen, ~chosen)) < 2:
        name, chosen = f"{name}, slides divided", _half(labels, None)
    return (
        Part(f"one half of the {name}", part.kept.only(chosen)),
        Part(f"the other half of the {name}", part.kept.only(~chosen)),
    )


def _half(labels: np.ndarray, slides: np.ndarray | None) -> np.ndarray:
    """Which patches are in one random half, the classes in proportion, slides whole: N booleans."""
    splitter = StratifiedKFold if slides is None else StratifiedGroupKFold
    _, half = next(splitter(2, shuffle=True, random_state=0).split(labels, labels, slides))
    return np.isin(np.arange(len(labels)), half)
