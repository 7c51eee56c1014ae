"""How far values are from the bulk of others, given how these vary together: the Mahalanobis distance.

Mahalanobis, On the Generalised Distance in Statistics, 1936; to recognise inputs unlike those of a training,
Lee et al., NeurIPS 2018.
"""

from typing import NamedTuple

import numpy as np

RIDGE = 1e-3  # added to the correlations, so that features that repeat each other leave a finite distance
LEAST = 1e-3  # the least standard deviation, so that a feature that never varied leaves a finite distance


class Bulk(NamedTuple):
    """The mean of N values of F features (F), and the inverse of their covariance (F×F)."""

    mean: np.ndarray
    precision: np.ndarray


def fit_bulk(values) -> Bulk:
    """The bulk of N×F values, none of them missing."""
    values = np.asarray(values, float)
    mean = values.mean(axis=0)
    deviation = np.maximum(values.std(axis=0), LEAST)
    standardised = (values - mean) / deviation
    correlation = standardised.T @ standardised / len(values) + RIDGE * np.eye(len(mean))
    return Bulk(mean, np.linalg.inv(correlation) / np.outer(deviation, deviation))


def distances(values, bulk: Bulk) -> np.ndarray:
    """The distance of each of N×F values from the mean, in standard deviations; NaN where one is missing."""
    centred = np.asarray(values, float) - bulk.mean
    return np.sqrt(np.einsum("nf,fg,ng->n", centred, bulk.precision, centred))
