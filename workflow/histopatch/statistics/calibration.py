"""Calibration: among patches with a predicted probability of 0.8, are 80 % positive?"""

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.proportions import wilson

BINS = 15


def brier_score(labels, probabilities) -> float:
    """Mean squared difference between probability and label (N each); 0 is best.

    Half of the score of Brier, Monthly Weather Review 1950, which sums over both classes.
    """
    labels = binary_labels(labels)
    return float(np.mean((valid_probabilities(probabilities, len(labels)) - labels) ** 2))


def reliability_table(labels, probabilities, bins: int = BINS) -> pd.DataFrame:
    """One row per non-empty bin, of `bins` bins of equal width; labels and probabilities: N each.

    Columns: `bin` (from 0), `above` and `up_to` (its bounds; bin 0 includes 0), `patches`,
    `mean_probability`, and `positive_share` with Wilson's 95 % interval for independent patches as
    `positive_share_low` and `positive_share_high`. Raises InputError for fewer than one bin.
    """
    if bins < 1:
        raise InputError(f"bins: {bins} is too few; 15 is usual")
    labels = binary_labels(labels)
    probabilities = valid_probabilities(probabilities, len(labels))
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.maximum(np.digitize(probabilities, edges, right=True) - 1, 0)
    patches = np.bincount(bin_of, minlength=bins)
    positive = np.bincount(bin_of[labels], minlength=bins)
    total = np.bincount(bin_of, probabilities, minlength=bins)
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
    """Mean distance between mean probability and positive share over the bins, weighted by patches.

    Naeini, Cooper & Hauskrecht, AAAI 2015; Guo et al., ICML 2017, here for the probability of the positive
    class. With few patches per bin it is above 0 even for a calibrated model.
    """
    table = reliability_table(labels, probabilities, bins)
    distance = (table.mean_probability - table.positive_share).abs()
    return float(np.average(distance, weights=table.patches))
