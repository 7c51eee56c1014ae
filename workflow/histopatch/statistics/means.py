"""Means over patches, with intervals that know that patches of one slide resemble each other."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from histopatch.errors import InputError


class Mean(NamedTuple):
    """A mean with its confidence interval, infinite if unknown, and the standard deviation of the values."""

    mean: float
    low: float
    high: float
    sd: float


def mean_by_unit(values, units=None, weights=None, level: float = 0.95) -> Mean:
    """The mean of N finite values with an interval for independent units.

    units: N codes of slides or patients, or None where each value is a unit of its own; weights: N, positive,
    or None where all count the same. The standard error is that of a ratio, the weighted sums of the units
    over their weights, and Student's t has one degree of freedom less than there are units: nothing can be
    said from a single one. Without units and weights this is the textbook interval of a mean. Raises
    InputError for a single value.

    Cochran, Sampling Techniques, 1977, chapters 6 and 9A.
    """
    values = np.asarray(values, float)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    units = np.arange(len(values)) if units is None else np.unique(units, return_inverse=True)[1]
    count = units.max() + 1
    if len(values) < 2:
        raise InputError("values: there is only one; an interval needs at least two")
    mean = np.average(values, weights=weights)
    margin = np.inf
    if count > 1:
        residuals = np.bincount(units, weights * (values - mean))
        error = np.sqrt(count / (count - 1) * (residuals**2).sum()) / weights.sum()
        margin = stdtrit(count - 1, (1 + level) / 2) * error
    variance = np.average((values - mean) ** 2, weights=weights) * len(values) / (len(values) - 1)
    return Mean(float(mean), float(mean - margin), float(mean + margin), float(np.sqrt(variance)))
