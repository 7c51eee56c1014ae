"""Decision curves: is it better to treat by the model than to treat everybody, or nobody?

Whoever treats from a probability of p on holds that missing one positive is as bad as (1 - p) / p false
alarms. The net benefit counts both in the same coin: true positives per patch, less false positives weighted
with p / (1 - p). Treating nobody has a net benefit of 0. The probabilities are taken at their word, so a
model that ranks well but is badly calibrated may do harm.

Vickers & Elkin, Medical Decision Making 2006; limits: Zou & Donner, Statistics in Medicine 2008.
"""

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.jackknife import spread
from histopatch.statistics.leave_out import degrees_of_freedom, unit_codes
from histopatch.statistics.proportions import bounds_from_variance

THRESHOLDS = tuple(np.round(np.arange(0.01, 1, 0.01), 2))


def decision_curve(
    labels, probabilities, slides=None, thresholds=THRESHOLDS, level: float = 0.95
) -> pd.DataFrame:
    """The net benefit of the model and of treating everybody, one row for each threshold.

    labels: N of 0 and 1, both present; probabilities: N; slides: N names, or None where each patch is taken
    to be independent; thresholds: within (0, 1). Columns: `threshold`, `net_benefit`, `treat_all`,
    `over_treat_all` (the difference of the two), and for `net_benefit` and `over_treat_all` the pointwise
    interval for independent slides as `…_low` and `…_high`. It covers that slides differ in their share of
    positives, too. Raises InputError for a threshold outside (0, 1).
    """
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    units = unit_codes(slides, len(labels))
    degrees = degrees_of_freedom(labels, units)
    rows = []
    for threshold in thresholds:
        if not 0 < threshold < 1:
            raise InputError(f"thresholds: {threshold} is not between 0 and 1")
        odds = threshold / (1 - threshold)
        treated = probabilities >= threshold
        row = {"threshold": float(threshold), "treat_all": float(np.where(labels, 1.0, -odds).mean())}
        # Against treating everybody, a model gains the negatives and misses the positives that it spares.
        counts = {
            "net_benefit": ((1.0, labels & treated), (odds, ~labels & treated)),
            "over_treat_all": ((odds, ~labels & ~treated), (1.0, labels & ~treated)),
        }
        for name, (gained, lost) in counts.items():
            row[name], row[f"{name}_low"], row[f"{name}_high"] = _net(gained, lost, units, degrees, level)
        rows.append(row)
    return pd.DataFrame(rows)


def _net(
    gained: tuple[float, np.ndarray],
    lost: tuple[float, np.ndarray],
    units: np.ndarray,
    degrees: float,
    level: float,
) -> tuple[float, float, float]:
    """What is gained less what is lost per patch, with its interval.

    gained, lost: what one such patch is worth, and N booleans. Each of the two shares has the interval of
    Korn & Graubard; the distances of its limits add up as standard errors do, with the correlation that the
    shares have over units. So the interval is as skewed as those of small shares are.
    """
    worth = np.array([gained[0], lost[0]])
    hits = np.stack([gained[1], lost[1]])  # 2×N
    shares = hits.mean(axis=1)
    lows, highs, correlation = np.zeros(2), np.ones(2), -1.0  # all that is possible
    if degrees > 0:
        sums = np.stack([np.bincount(units, hit) for hit in hits])
        deviations = spread((sums.sum(axis=1, keepdims=True) - sums) / (len(units) - np.bincount(units)))
        variances = (deviations**2).sum(axis=1)
        lows, highs = bounds_from_variance(shares, len(units), variances, degrees, level)
        scale = np.sqrt(variances.prod())
        correlation = deviations[0] @ deviations[1] / scale if scale > 0 else 0.0
    value = float(worth @ (shares * (1, -1)))
    (gained_low, lost_low), (gained_high, lost_high) = worth * (shares - lows), worth * (highs - shares)
    low = value - _distance(gained_low, lost_high, correlation)
    high = value + _distance(gained_high, lost_low, correlation)
    return value, low, high


def _distance(gained: float, lost: float, correlation: float) -> float:
    """How far the limit of a difference is away, from how far those of its two terms are."""
    return float(np.sqrt(max(gained**2 + lost**2 - 2 * correlation * gained * lost, 0.0)))
