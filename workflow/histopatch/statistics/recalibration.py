"""Logistic recalibration: calibrate probabilities by an intercept and a slope on their logits.

The intercept corrects probabilities that are too high or too low on average, as those of a network whose loss
weights one class more; the slope corrects those that are too extreme or too moderate.

Cox, Biometrika 1958; Platt, Advances in Large Margin Classifiers 1999; Van Calster et al., BMC Medicine 2019.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.logistic_regression import maximum_likelihood, separation, standardise
from histopatch.statistics.logits import CLIP, clipped_logits

FLATTEST, STEEPEST = 0.01, 100.0
WIDEST = 2 * logit(1 - CLIP)  # range of recalibrated logits: as that of clipped ones


class Recalibration(NamedTuple):
    """Probabilities become sigmoid(intercept + slope · logit); with a positive slope their order is kept."""

    intercept: float = 0.0
    slope: float = 1.0

    @property
    def flattens(self) -> bool:
        """Whether it makes all probabilities nearly the same, as no steeper slope than FLATTEST fits."""
        return self.slope <= FLATTEST


def fit_recalibration(labels, probabilities) -> Recalibration:
    """The intercept and the positive slope with the highest likelihood.

    labels: N of 0 and 1, both present; probabilities: N, clipped to 2⁻²⁴ from 0 and 1. The slope is between
    0.01 and 100, and such that recalibrated logits span no more than clipped ones can, since probabilities
    nearer to 1 could not be told apart. Where the probabilities separate the classes, or are all the same,
    nothing says how steep it should be: it is 1, and the intercept alone is fitted.
    """
    labels = binary_labels(labels, both=True)
    logits = clipped_logits(valid_probabilities(probabilities, len(labels)))
    slope, centre = _slope(labels, logits), logits.mean()
    (at_centre,) = maximum_likelihood(labels, np.ones((len(labels), 1)), slope * (logits - centre))
    return Recalibration(float(at_centre - slope * centre), slope)


def recalibrate(probabilities, recalibration: Recalibration) -> np.ndarray:
    """sigmoid(intercept + slope · logit) of N probabilities, in the same order; 0 and 1 do not change.

    Raises InputError unless both coefficients are finite and the slope is positive.
    """
    intercept, slope = recalibration
    if not (np.isfinite(intercept) and 0 < slope < np.inf):
        raise InputError(
            f"recalibration: the intercept ({intercept}) and the slope ({slope}) must be finite, "
            "and the slope positive"
        )
    return expit(intercept + slope * logit(valid_probabilities(probabilities, len(probabilities))))


def _slope(labels: np.ndarray, logits: np.ndarray) -> float:
    side = separation(labels, logits)
    if side > 0:
        return 1.0
    if side < 0:
        return FLATTEST
    design, scale = standardise(logits)
    slope = maximum_likelihood(labels, design)[1] / scale
    return float(np.clip(slope, FLATTEST, min(STEEPEST, WIDEST / np.ptp(logits))))
