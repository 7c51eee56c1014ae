"""What a set of predictions must be before a statistic is made of it: checked arrays or an InputError."""

import numpy as np
import pandas as pd

from histopatch.errors import InputError


def binary_labels(labels, both: bool = False) -> np.ndarray:
    """Labels as N booleans.

    labels: N of 0 and 1. Raises InputError where there is none, where one is something else, and with
    `both` where only one class is there.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise InputError(f"labels: a list of 0 and 1 is needed, not an array of shape {labels.shape}")
    other = ~np.isin(labels, (0, 1))
    if other.any():
        row = int(other.argmax())
        raise InputError(f"labels: {labels[row]} in row {row} is neither 0 nor 1")
    labels = labels.astype(bool)
    if both and labels.all() | ~labels.any():
        kind = "positive" if labels[0] else "negative"
        raise InputError(f"labels: all {len(labels)} are {kind}; patches of both classes are needed")
    return labels


def finite_scores(scores, count: int) -> np.ndarray:
    """Scores as `count` floats; InputError where their number differs or one is not finite."""
    scores = np.asarray(scores, float)
    if scores.shape != (count,):
        raise InputError(f"scores: {scores.shape} do not go with {count} patches; give one for each")
    if not np.isfinite(scores).all():
        row = int((~np.isfinite(scores)).argmax())
        raise InputError(f"scores: {scores[row]} in row {row} is not a finite number")
    return scores


def probabilities_of_one(probabilities, count: int) -> np.ndarray:
    """Probabilities as `count` floats; InputError as for scores, and where one is outside [0, 1]."""
    probabilities = finite_scores(probabilities, count)
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        row = int(outside.argmax())
        raise InputError(f"probabilities: {probabilities[row]} in row {row} is outside [0, 1]")
    return probabilities


def slide_codes(slides, count: int) -> np.ndarray:
    """Slides as `count` whole numbers from 0, in the order in which they come.

    slides: a name for each patch. Raises InputError where their number differs or one is missing, which
    is empty or not a value.
    """
    slides = pd.Series(np.asarray(slides))
    if len(slides) != count:
        raise InputError(f"slides: {len(slides)} do not go with {count} patches; give one for each")
    missing = slides.isna() | (slides == "")
    if missing.any():
        raise InputError(f"slides: the patch in row {int(missing.argmax())} has none")
    return pd.factorize(slides)[0]
