"""Decision curves: is it better to treat by the model than to treat everybody, or nobody?

Whoever treats from a probability of p on holds that missing one positive is as bad as (1 - p) / p false
alarms. The net benefit counts both in the same coin: true positives per patch, less false positives weighted
with p / (1 - p). Treating nobody has a net benefit of 0. The probabilities are taken at their word, so a
model that ranks well but is badly calibrated may do harm.

Vickers & Elkin, Medical Decision Making 2006.
"""

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.leave_out import degrees_of_freedom, margin, unit_codes

THRESHOLDS = tuple(np.round(np.arange(0.01, 1, 0.01), 2))


def decision_curve(
    labels, probabilities, slides=None, thresholds=THRESHOLDS, level: float = 0.95
) -> pd.DataFrame:
    """The net benefit of the model and of treating everybody, one row for each threshold.

    labels: N of 0 and 1, both present; probabilities: N; slides: N names, or None where each patch is taken
    to be independent; thresholds: within (0, 1). Columns: `threshold`, `net_benefit`, `treat_all`,
    `over_treat_all` (the difference of the two), and for `net_benefit` and `over_treat_all` the pointwise
    interval from the jackknife by slide as `…_low` and `…_high`. It covers that slides differ in their share
    of positives, too. Raises InputError for a threshold outside (0, 1).
    """
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    units = unit_codes(slides, len(labels))
    degrees = degrees_of_freedom(labels, units)
    left = np.maximum(len(labels) - np.bincount(units), 1)  # a single slide leaves none, and no interval
    rows = []
    for threshold in thresholds:
        if not 0 < threshold < 1:
            raise InputError(f"thresholds: {threshold} is not between 0 and 1")
        odds = threshold / (1 - threshold)
        worth = np.where(labels, 1.0, -odds)
        treated = worth * (probabilities >= threshold)
        row = {"threshold": float(threshold), "treat_all": float(worth.mean())}
        limits = {"net_benefit": (-odds, 1.0), "over_treat_all": (-1.0, odds)}
        for (name, (lowest, highest)), values in zip(limits.items(), (treated, treated - worth), strict=True):
            sums = np.bincount(units, values)
            value = values.mean()
            half = margin((sums.sum() - sums) / left, degrees, level)
            row |= {
                name: float(value),
                f"{name}_low": float(max(value - half, lowest)),
                f"{name}_high": float(min(value + half, highest)),
            }
        rows.append(row)
    return pd.DataFrame(rows)
