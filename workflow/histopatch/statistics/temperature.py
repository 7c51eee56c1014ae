"""Temperature scaling: calibrate probabilities by dividing their logits by one number."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities

# In single precision no probability below 1 is closer to 1 than this.
CLIP = 2.0**-24
LOWEST, HIGHEST = 0.01, 100.0


def fit_temperature(labels, probabilities) -> float:
    """The temperature T, between 0.01 and 100, at which sigmoid(logit / T) has the lowest log loss.

    labels: N of 0 and 1, both present; probabilities: N, clipped to 2⁻²⁴ from 0 and 1. If every patch is
    on the right side of 0.5 there is no optimum, as a lower temperature is always better; the result is
    then 1, which changes nothing.

    Guo et al., ICML 2017. The log loss is convex in 1 / T, so its slope has one root.
    """
    labels = binary_labels(labels, both=True)
    logits = logit(np.clip(valid_probabilities(probabilities, len(labels)), CLIP, 1 - CLIP))
    if np.all(np.where(labels, logits, -logits) >= 0):
        return 1.0

    def slope(inverse: float) -> float:
        return np.mean(logits * (expit(inverse * logits) - labels))

    if slope(1 / HIGHEST) >= 0:
        return HIGHEST
    if slope(1 / LOWEST) <= 0:
        return LOWEST
    return float(1 / brentq(slope, 1 / HIGHEST, 1 / LOWEST))


def apply_temperature(probabilities, temperature: float) -> np.ndarray:
    """sigmoid(logit / T) of N probabilities, in the same order; 0, 0.5 and 1 do not change.

    Raises InputError unless the temperature is positive and finite.
    """
    if not 0 < temperature < np.inf:
        raise InputError(f"temperature: {temperature} is not a positive number")
    return expit(logit(valid_probabilities(probabilities, len(probabilities))) / temperature)
