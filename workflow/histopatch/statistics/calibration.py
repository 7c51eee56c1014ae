"""Calibration: among patches with a predicted probability of 0.8, are 80 % positive?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.proportions import wilson
from histopatch.statistics.resampling import BLOCK, RESAMPLES, check_resamples

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
    bin_of = _bin_of(probabilities, bins)
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


class Chance(NamedTuple):
    """The calibration error that a perfectly calibrated model would have: its mean and 95th percentile."""

    mean: float
    high: float


def calibration_error_by_chance(
    probabilities, bins: int = BINS, draws: int = RESAMPLES, seed: int = 0
) -> Chance:
    """The calibration error of N probabilities if they were right: labels are drawn from them, many times.

    The draws are independent of each other. Labels of one slide are not, so for a calibrated model on few
    slides the error may well be higher.

    Consistency resampling: Bröcker & Smith, Weather and Forecasting 2007.
    """
    probabilities = valid_probabilities(probabilities, len(probabilities))
    check_resamples(draws)
    bin_of = _bin_of(probabilities, bins)
    order = np.argsort(bin_of, kind="stable")
    sorted_probabilities = probabilities[order].astype(np.float32)
    starts = np.flatnonzero(np.diff(bin_of[order], prepend=-1))
    expected = np.add.reduceat(probabilities[order], starts)
    generator = np.random.default_rng(seed)
    errors, block = np.empty(draws), max(1, BLOCK // len(probabilities))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = generator.random((size, len(probabilities)), np.float32) < sorted_probabilities
        positive = np.add.reduceat(drawn, starts, axis=1, dtype=np.int64)
        errors[start : start + size] = np.abs(positive - expected).sum(axis=1) / len(probabilities)
    return Chance(float(errors.mean()), float(np.quantile(errors, 0.95)))


def _bin_of(probabilities: np.ndarray, bins: int) -> np.ndarray:
    """The bin of each probability, of `bins` of equal width; each ends with its upper bound."""
    edges = np.linspace(0, 1, bins + 1)
    return np.maximum(np.digitize(probabilities, edges, right=True) - 1, 0)
