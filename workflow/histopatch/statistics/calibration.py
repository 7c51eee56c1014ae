"""Calibration: whether of the patches with a probability of 0.8 four in five are positive."""

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, probabilities_of_one
from histopatch.statistics.proportions import wilson

BINS = 15
# A single-precision probability cannot come nearer to 1 without being 1.
NEAREST = 2.0**-24
TEMPERATURES = (0.01, 100.0)


def brier_score(labels, probabilities) -> float:
    """Mean squared distance of probability and label, 0 best; N each.

    Half of the score of Brier, Monthly Weather Review 1950, which sums over both classes.
    """
    labels = binary_labels(labels)
    return float(np.mean((probabilities_of_one(probabilities, len(labels)) - labels) ** 2))


def reliability_table(labels, probabilities, bins: int = BINS) -> pd.DataFrame:
    """One row for each of `bins` bins of equal width that has patches; labels and probabilities: N each.

    Columns: `bin` (from 0), `above` and `up_to` (its bounds; bin 0 holds 0 too), `patches`,
    `mean_probability`, `positive_share` with Wilson's 95 % interval for independent patches as
    `positive_share_low` and `positive_share_high`.
    """
    if bins < 1:
        raise InputError(f"bins: {bins} is too few; 15 is usual")
    labels = binary_labels(labels)
    probabilities = probabilities_of_one(probabilities, len(labels))
    edges = np.linspace(0, 1, bins + 1)
    place = np.maximum(np.digitize(probabilities, edges, right=True) - 1, 0)
    patches = np.bincount(place, minlength=bins)
    positive = np.bincount(place[labels], minlength=bins)
    total = np.bincount(place, probabilities, minlength=bins)
    rows = []
    for index in np.flatnonzero(patches):
        share, low, high = wilson(int(positive[index]), int(patches[index]))
        rows.append(
            {
                "bin": index,
                "above": edges[index],
                "up_to": edges[index + 1],
                "patches": patches[index],
                "mean_probability": total[index] / patches[index],
                "positive_share": share,
                "positive_share_low": low,
                "positive_share_high": high,
            }
        )
    return pd.DataFrame(rows)


def expected_calibration_error(labels, probabilities, bins: int = BINS) -> float:
    """Mean distance of probability and positive share over the bins, weighted by their patches.

    Naeini, Cooper & Hauskrecht, AAAI 2015; Guo et al., ICML 2017, here of the positive class's
    probability. With few patches a bin it is too high even for a calibrated model.
    """
    table = reliability_table(labels, probabilities, bins)
    distance = (table.mean_probability - table.positive_share).abs()
    return float(np.average(distance, weights=table.patches))


def fit_temperature(labels, probabilities) -> float:
    """The temperature T for which the log loss of probabilities at logits / T is least.

    labels: N of 0 and 1, both present; probabilities: N, those nearer to 0 or 1 than single precision
    tells are moved off. T lies in [0.01, 100]. Where every patch is on its right side of one half there
    is no best T, as a lower one is always better: the result is 1, which changes nothing.

    Guo et al., ICML 2017. The loss is convex in 1 / T, so its slope has one root.
    """
    labels = binary_labels(labels, both=True)
    logits = logit(np.clip(probabilities_of_one(probabilities, len(labels)), NEAREST, 1 - NEAREST))
    if np.all(np.where(labels, logits, -logits) >= 0):
        return 1.0

    def slope(inverse: float) -> float:
        return np.mean(logits * (expit(inverse * logits) - labels))

    coldest, hottest = TEMPERATURES
    if slope(1 / hottest) >= 0:
        return hottest
    if slope(1 / coldest) <= 0:
        return coldest
    return float(1 / brentq(slope, 1 / hottest, 1 / coldest))


def apply_temperature(probabilities, temperature: float) -> np.ndarray:
    """Probabilities (N) at their logits / temperature: their order is kept, and 0, one half and 1 stay."""
    if not 0 < temperature < np.inf:
        raise InputError(f"temperature: {temperature} is not a positive number")
    return expit(logit(probabilities_of_one(probabilities, len(probabilities))) / temperature)
