"""Whether groups of patches differ in their AUROC: one test of all groups together."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.special import fdtrc

from histopatch.statistics.auroc import LogitArea, logit_area
from histopatch.statistics.checks import binary_labels, finite_scores, slide_codes


class Heterogeneity(NamedTuple):
    """An F test that all groups have the same AUROC; NaN where nothing can be said.

    groups: how many are compared; those with one class, or on too few slides, are not.
    """

    groups: int
    statistic: float
    numerator: float  # degrees of freedom
    denominator: float
    p_value: float


def heterogeneity(labels, scores, groups, slides=None) -> Heterogeneity:
    """Test whether the AUROCs of several groups of patches are equal.

    labels: N of 0 and 1; scores: N; groups: N names, an empty text for a patch of no group; slides: N names,
    or None where patches are independent. The AUROCs are compared on the logit scale by a Wald statistic,
    whose covariance is from the slides left out one at a time: groups that share slides are correlated. For
    groups without a common slide it is Cochran's Q. Variances from few slides make Q too large, so it is
    judged by Welch's F [1], in Johansen's form [2]: samples that share no slide are independent, each with
    the fewest degrees of freedom of its groups. Groups that share slides need more of these than there are
    such groups. NaN if fewer than two groups are left, or too few slides.

    [1] Welch, Biometrika 1951; [2] Johansen, Biometrika 1980.
    """
    labels = binary_labels(labels)
    scores, groups = finite_scores(scores, len(labels)), np.asarray(groups)
    units = None if slides is None else slide_codes(slides, len(labels))
    areas, rows = [], []
    for group in dict.fromkeys(groups[groups != ""]):
        of = groups == group
        if 0 < labels[of].sum() < of.sum():
            area = logit_area(labels[of], scores[of], None if units is None else units[of])
            if area.degrees > 0:
                areas.append(area)
                rows.append(of)
    if len(areas) < 2:
        return Heterogeneity(len(areas), np.nan, np.nan, np.nan, np.nan)
    return _welch_james(areas, _covariance(areas, None if units is None else [units[of] for of in rows]))


def _covariance(areas: list[LogitArea], units: list[np.ndarray] | None) -> np.ndarray:
    """The covariance (G×G) of the groups' AUROCs on the logit scale; units: those of each group's patches."""
    variances = np.diag([area.error**2 for area in areas])
    if units is None:
        return variances
    spread = np.zeros((len(areas), 1 + max(codes.max() for codes in units)))
    for row, area, codes in zip(spread, areas, units, strict=True):
        row[pd.unique(codes)] = area.spread
    shared = spread @ spread.T
    return shared - np.diag(np.diag(shared)) + variances


def _welch_james(areas: list[LogitArea], covariance: np.ndarray) -> Heterogeneity:
    """The test of equal values with their covariance, the blocks of which are independent samples."""
    count, values = len(areas), np.array([area.value for area in areas])
    contrasts = np.eye(count - 1, count) - np.eye(count - 1, count, 1)
    samples = connected_components(covariance != 0, directed=False)[1]
    projection = contrasts.T @ np.linalg.solve(contrasts @ covariance @ contrasts.T, contrasts)
    # Rounding may make a sum of squares that is 0 negative.
    statistic, shares = max(float(values @ projection @ values), 0.0), covariance @ projection
    correction = 0.0
    for sample in np.unique(samples):
        members = np.flatnonzero(samples == sample)
        degrees = min(areas[member].degrees for member in members)
        if len(members) > 1 and degrees <= len(members):
            return Heterogeneity(count, np.nan, np.nan, np.nan, np.nan)
        own = shares[np.ix_(members, members)]
        correction += (np.trace(own @ own) + np.trace(own) ** 2) / 2 / degrees
    rank = count - 1
    statistic /= rank + 2 * correction - 6 * correction / (rank + 2)
    denominator = rank * (rank + 2) / (3 * correction)
    return Heterogeneity(count, statistic, rank, denominator, float(fdtrc(rank, denominator, statistic)))
