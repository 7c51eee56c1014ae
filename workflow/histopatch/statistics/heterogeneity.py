"""Whether groups of patches differ in their AUROC: one test of all groups together."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
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
    slides = None if slides is None else slide_codes(slides, len(labels))
    units = np.arange(len(labels)) if slides is None else slides
    areas, units_of = [], []
    for group, rows in pd.Series(groups).groupby(groups).indices.items():
        if group != "" and 0 < labels[rows].sum() < len(rows):
            area = logit_area(labels[rows], scores[rows], None if slides is None else slides[rows])
            if area.degrees > 0:
                areas.append(area)
                units_of.append(pd.unique(units[rows]))
    if len(areas) < 2:
        return Heterogeneity(len(areas), np.nan, np.nan, np.nan, np.nan)
    return _welch_james(areas, _samples(areas, units_of))


def _samples(areas: list[LogitArea], units: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples of m groups that share no unit with others: the members, and their AUROCs' covariance (m×m).

    units: those that each group has patches of, as the columns of its area's `spread`.
    """
    spread = np.concatenate([area.spread for area in areas])
    places = np.repeat(np.arange(len(areas)), [len(these) for these in units]), np.concatenate(units)
    # Sparse, as there may be a group for each of thousands of slides.
    spread, has = (csr_array((values, places)) for values in (spread, np.ones(len(spread))))
    covariance = spread @ spread.T
    covariance.setdiag([area.error**2 for area in areas])
    sample_of = connected_components(has @ has.T, directed=False)[1]
    samples = pd.Series(sample_of).groupby(sample_of).indices.values()
    return [(members, covariance[members][:, members].toarray()) for members in samples]


def _welch_james(areas: list[LogitArea], samples: list[tuple[np.ndarray, np.ndarray]]) -> Heterogeneity:
    """The test of equal values; samples: independent ones with their covariance, as of `_samples`."""
    values, weights, rank = np.array([area.value for area in areas]), np.empty(len(areas)), len(areas) - 1
    for members, covariance in samples:
        weights[members] = np.linalg.solve(covariance, np.ones(len(members)))
    deviations = values - np.average(values, weights=weights)
    statistic = correction = 0.0
    for members, covariance in samples:
        count, degrees = len(members), min(areas[member].degrees for member in members)
        if count > 1 and degrees <= count:
            return Heterogeneity(len(areas), np.nan, np.nan, np.nan, np.nan)
        statistic += deviations[members] @ np.linalg.solve(covariance, deviations[members])
        # The traces of Johansen's matrix and of its square, I - 1 w' with weights w that add up to 1.
        share = weights[members].sum() / weights.sum()
        correction += (count - 2 * share + share**2 + (count - share) ** 2) / 2 / degrees
    statistic = float(statistic / (rank + 2 * correction - 6 * correction / (rank + 2)))
    denominator = float(rank * (rank + 2) / (3 * correction))
    return Heterogeneity(len(areas), statistic, rank, denominator, float(fdtrc(rank, denominator, statistic)))
