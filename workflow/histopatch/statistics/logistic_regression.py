"""Logistic regression by maximum likelihood, for the few coefficients that calibration needs."""

from collections.abc import Iterable

import numpy as np
from scipy.special import expit

ITERATIONS = 100  # of Newton's method, which needs fewer than ten where probabilities are not all 0 or 1
FARTHEST = 4.0  # that a step may move a logit: where all are extreme the curvature says little of the rest


def maximum_likelihood(
    labels: np.ndarray, design: np.ndarray, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """The K coefficients with the highest likelihood, by Newton's method with limited and halved steps.

    labels: N booleans; design: N×K; offset: N logits that the model adds to. The maximum must exist, as it
    does for a constant where both classes are present, and for a slope unless `separation` says otherwise.
    """
    found = np.zeros(design.shape[1])
    best = _log_likelihood(found, labels, design, offset)
    for _ in range(ITERATIONS):
        gradient, curvature = derivatives(found, labels, design, offset)
        step = np.linalg.solve(curvature[0], gradient[0])
        step *= FARTHEST / max(np.abs(design @ step).max(), FARTHEST)
        while (reached := _log_likelihood(found + step, labels, design, offset)) < best - 1e-9 * abs(best):
            step /= 2
        found, best = found + step, reached
        if np.abs(step).max() < 1e-9:
            break
    return found


def derivatives(
    coefficients: np.ndarray,
    labels: np.ndarray,
    design: np.ndarray,
    offset: np.ndarray | float,
    units: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The log likelihood's gradient, U×K, and its curvature, U×K×K, as positive, each summed over each unit.

    labels, design, offset: as of `maximum_likelihood`; units: N codes from 0 to U-1, or None for one unit.
    """
    expected = design @ coefficients
    expected += offset
    expit(expected, out=expected)
    residuals, weights = labels - expected, expected * (1 - expected)
    gradient = _sums((residuals * one for one in design.T), units)
    curvature = _sums((weights * one * other for one in design.T for other in design.T), units)
    return gradient, curvature.reshape(len(curvature), design.shape[1], -1)


def _sums(columns: Iterable[np.ndarray], units: np.ndarray | None) -> np.ndarray:
    """The sums of C columns of N values over each of U units: U×C. One column is held at a time."""
    if units is None:
        return np.array([[column.sum() for column in columns]])
    return np.stack([np.bincount(units, column) for column in columns], axis=1)


def standardise(values: np.ndarray) -> tuple[np.ndarray, float]:
    """A design N×2 of a constant and N values, which are not all the same, and the scale of its second slope.

    The values have mean 0 and standard deviation 1 in it, so that Newton's method is as exact for values that
    hardly differ, or are far from 0. A slope on them, divided by the scale, is one on the values themselves.
    """
    scale = float(values.std())
    return np.column_stack([np.ones(len(values)), (values - values.mean()) / scale]), scale


def separation(labels: np.ndarray, values: np.ndarray) -> int:
    """1 if no positive lies below a negative, −1 if none lies above one, else 0.

    Where the classes are separated no slope on the values is steep enough: the likelihood has no maximum.
    labels: N booleans, both present; values: N.
    """
    positives, negatives = values[labels], values[~labels]
    for side in (1, -1):
        if (side * positives).min() >= (side * negatives).max():
            return side
    return 0


def _log_likelihood(
    coefficients: np.ndarray, labels: np.ndarray, design: np.ndarray, offset: np.ndarray | float
) -> float:
    logits = design @ coefficients + offset
    return -float(np.logaddexp(0, np.where(labels, -logits, logits)).sum())
