"""Input checks: labels, scores and slides as arrays, or an InputError that names the first bad row."""

import numpy as np
import pandas as pd

from histopatch.errors import InputError


def binary_labels(labels, both: bool = False) -> np.ndarray:
    """Return N labels of 0 and 1 as booleans.

    both: require at least one patch of each class. Raises InputError if there are no labels, if one is
    neither 0 nor 1, or if a required class is missing.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise InputError(f"labels: need a list of 0 and 1, not an array of shape {labels.shape}")
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
    """Return `count` scores as floats; InputError if there are more or fewer, or one is not finite."""
    scores = np.asarray(scores, float)
    if scores.shape != (count,):
        raise InputError(f"scores: shape {scores.shape} does not match {count} patches; give one score each")
    if not np.isfinite(scores).all():
        row = int((~np.isfinite(scores)).argmax())
        raise InputError(f"scores: {scores[row]} in row {row} is not a finite number")
    return scores


def valid_probabilities(probabilities, count: int) -> np.ndarray:
    """Return `count` probabilities as floats; InputError as for scores, and if one is outside [0, 1]."""
    probabilities = finite_scores(probabilities, count)
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        row = int(outside.argmax())
        raise InputError(f"probabilities: {probabilities[row]} in row {row} is outside [0, 1]")
    return probabilities


def slide_codes(slides, count: int) -> np.ndarray:
    """Return the slides of `count` patches as integers from 0, in order of first appearance.

    slides: one name per patch. Raises InputError if there are more or fewer, or one is missing (empty, None
    or NaN).
    """
    slides = pd.Series(np.asarray(slides))
    if len(slides) != count:
        raise InputError(f"slides: {len(slides)} slides do not match {count} patches; give one slide each")
    missing = slides.isna() | (slides == "")
    if missing.any():
        raise InputError(f"slides: the patch in row {int(missing.argmax())} has no slide")
    return pd.factorize(slides)[0]


def checked_folds(folds, labels: np.ndarray) -> np.ndarray:
    """Return the folds of N patches as numbers; labels: N booleans.

    Raises InputError if there are more or fewer, or a fold has patches of one class only.
    """
    folds = np.asarray(folds)
    if folds.shape != labels.shape:
        raise InputError(f"folds: shape {folds.shape} does not match {len(labels)} patches; give one each")
    for fold in np.setxor1d(folds[labels], folds[~labels]):
        raise InputError(f"folds: all patches of fold {fold} are of one class; both are needed")
    return folds
