"""Weak calibration: are probabilities right on average, and neither too extreme nor too moderate?

The labels are regressed on the logits of the probabilities. The calibration intercept, with the slope fixed
at 1, is 0 for a model that is right on average, and negative where its probabilities are too high. The slope
is 1 for probabilities that are as spread as they should be, and below 1 where they are too extreme.

Cox, Biometrika 1958; the names: Van Calster et al., Journal of Clinical Epidemiology 2016.
"""

from typing import NamedTuple

import numpy as np

from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.leave_out import degrees_of_freedom, margin, unit_codes
from histopatch.statistics.logistic_regression import (
    derivatives,
    maximum_likelihood,
    separation,
    standardise,
)
from histopatch.statistics.logits import clipped_logits


class Coefficient(NamedTuple):
    """A coefficient of a regression with its confidence interval, infinite where nothing is known."""

    value: float
    low: float
    high: float


class WeakCalibration(NamedTuple):
    """Both are about 0 and 1 for calibrated probabilities."""

    intercept: Coefficient
    slope: Coefficient


def weak_calibration(labels, probabilities, slides=None, level: float = 0.95) -> WeakCalibration:
    """The calibration intercept and slope with intervals from the jackknife by slide.

    labels: N of 0 and 1, both present; probabilities: N, clipped to 2⁻²⁴ from 0 and 1; slides: N names, or
    None where each patch is taken to be independent. Intervals use Student's t with
    `leave_out.degrees_of_freedom`. If the probabilities separate the classes, or are all the same, there is
    no slope: it is infinite, or not a number.
    """
    labels = binary_labels(labels, both=True)
    logits = clipped_logits(valid_probabilities(probabilities, len(labels)))
    units = unit_codes(slides, len(labels))
    degrees = degrees_of_freedom(labels, units)
    (intercept,) = _fit(labels, np.ones((len(labels), 1)), logits, units, degrees, level)
    return WeakCalibration(intercept, _slope(labels, logits, units, degrees, level))


def _slope(
    labels: np.ndarray, logits: np.ndarray, units: np.ndarray, degrees: float, level: float
) -> Coefficient:
    if np.ptp(logits) == 0:
        return Coefficient(np.nan, -np.inf, np.inf)
    if side := separation(labels, logits):
        return Coefficient(side * np.inf, -np.inf, np.inf)
    design, scale = standardise(logits)
    _, slope = _fit(labels, design, 0.0, units, degrees, level)
    return Coefficient(*(value / scale for value in slope))


def _fit(
    labels: np.ndarray,
    design: np.ndarray,
    offset: np.ndarray | float,
    units: np.ndarray,
    degrees: float,
    level: float,
) -> list[Coefficient]:
    """Logistic regression of N labels on a design N×K and an offset: K coefficients with their intervals.

    Without each unit the coefficients are those after one step of Newton's method from the optimum, which
    costs one pass over the patches for all units (Pregibon, Annals of Statistics 1981).
    """
    found = maximum_likelihood(labels, design, offset)
    gradient, curvature = derivatives(found, labels, design, offset, units)
    rest = curvature.sum(axis=0) - curvature
    known = np.linalg.cond(rest) < 1 / np.finfo(float).eps
    left_out = np.full(gradient.shape, np.inf)
    left_out[known] = found - np.linalg.solve(rest[known], gradient[known, :, None])[..., 0]
    margins = margin(left_out, degrees, level)
    return [
        Coefficient(float(value), float(value - half), float(value + half))
        for value, half in zip(found, margins, strict=True)
    ]
