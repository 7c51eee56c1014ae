"""Curves of a classifier, thinned for plotting: ROC with a confidence band, and precision-recall."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.jackknife import spread
from histopatch.statistics.leave_out import degrees_of_freedom, unit_codes
from histopatch.statistics.proportions import bounds_from_variance
from histopatch.statistics.resampling import BLOCK

# More slides, or independent patches, than MOST are left out in so many random groups: the threshold is a
# quantile, which hardly moves with a single one. The variance is the mean over so many ways to group them.
MOST, GROUPS, GROUPINGS = 100, 30, 10


def roc_band(labels, probabilities, slides=None, *, level: float = 0.95, points: int = 400) -> pd.DataFrame:
    """The ROC curve with an interval of the sensitivity at each false positive rate.

    labels: N of 0 and 1, both present; probabilities: N; slides: N names. The band is pointwise (for each
    rate by itself): the variance of the sensitivity by slide jackknife, which covers that of the threshold
    with this rate, then Korn–Graubard's interval with one degree of freedom less than the slides of the rarer
    class. If no slides are given, patches are taken to be independent. Many slides or patches are left out in
    random groups. With fewer than two slides of a class the band is from 0 to 1. Columns:
    `false_positive_rate`, `true_positive_rate`, `low`, `high`, all within [0, 1].

    The first row is (0, 0); then follow false positive rates that occur, from 0 to 1, each with the highest
    sensitivity at that rate: at most `points` rows, a third of them near 0. Raises InputError for one class
    or fewer than ten points.

    Vertical averaging: Fawcett, Pattern Recognition Letters 2006, section 9.1; groups: Kott, Journal of
    Official Statistics 2001; the interval: Korn & Graubard, Survey Methodology 1998.
    """
    _check_points(points)
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    units = unit_codes(slides, len(labels))
    ranked = _RankedPatches(labels, probabilities)
    rates = ranked.rates()
    once = np.ones((1, ranked.negatives)), np.ones((1, ranked.positives))
    sensitivities = ranked.sensitivities(*once, rates)[0]
    shown = _thin(rates + sensitivities, points - 1)
    rates, sensitivities = rates[shown], sensitivities[shown]
    low, high = np.zeros(len(rates)), np.ones(len(rates))
    degrees = degrees_of_freedom(labels, units)
    if degrees > 0:
        variances = np.mean([_variances(ranked, groups, rates) for groups in _groupings(units)], axis=0)
        low, high = bounds_from_variance(sensitivities, ranked.positives, variances, degrees, level)
        low[-1] = 1.0  # a rate of 1 leaves no other sensitivity
    columns = {"false_positive_rate": rates, "true_positive_rate": sensitivities, "low": low, "high": high}
    return pd.DataFrame({name: np.concatenate([[0.0], values]) for name, values in columns.items()})


def precision_recall(labels, probabilities, points: int = 400) -> pd.DataFrame:
    """The precision-recall curve: columns `recall` and `precision`, by increasing recall from 0 to 1.

    labels: N of 0 and 1, both present; probabilities: N. Each recall that occurs has the highest precision
    at that recall; a recall of 0 has a precision of 1 by convention. At most `points` rows, a third of them
    near 0. Raises InputError for one class or fewer than ten points.
    """
    _check_points(points)
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    recall, first = np.unique(
        recall[::-1], return_index=True
    )  # by decreasing threshold: the best comes first
    precision = precision[::-1][first]
    shown = _thin(recall, points)
    return pd.DataFrame({"recall": recall[shown], "precision": precision[shown]})


class _RankedPatches:
    """N patches ranked by probability, highest first, so that other weights need no sorting."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray):
        decreasing = np.argsort(-probabilities, kind="stable")
        labels, values = labels[decreasing], -probabilities[decreasing]
        self.positive_rows, self.negative_rows = decreasing[labels], decreasing[~labels]
        self.positives, self.negatives = len(self.positive_rows), len(self.negative_rows)
        positives, negatives = values[labels], values[~labels]
        # For each negative: how many negatives are above it and not below it, then the same for positives.
        self.above, self.not_below = (np.searchsorted(negatives, negatives, s) for s in ("left", "right"))
        self.positives_above, self.positives_not_below = (
            np.searchsorted(positives, negatives, s) for s in ("left", "right")
        )

    def rates(self) -> np.ndarray:
        """The false positive rates at all thresholds, from 0 to 1."""
        return np.concatenate([[0], np.unique(self.not_below)]) / self.negatives

    def sensitivities(self, negatives: np.ndarray, positives: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """The highest sensitivity at each of P false positive rates under each of B weightings: B×P.

        negatives, positives: the weight of each patch, by decreasing probability, B×n and B×m, not 0 for
        at least one of each class. Across tied patches sensitivity rises linearly.
        """
        false = _cumulative(negatives)
        true = _cumulative(positives)
        # Rates as numbers of patches; rounding error could otherwise just miss a rate that occurs.
        wanted = np.round(rates * false[:, -1:], 6)
        result = np.ones(wanted.shape)
        for row, (f, t, targets) in enumerate(zip(false, true, wanted, strict=True)):
            inside = targets < f[-1]
            # The first negative beyond the rate, and those tied with it.
            tied = np.searchsorted(f, targets[inside], side="right") - 1
            before, after = f[self.above[tied]], f[self.not_below[tied]]
            start, end = t[self.positives_above[tied]], t[self.positives_not_below[tied]]
            share = (targets[inside] - before) / (after - before)
            result[row, inside] = (start + share * (end - start)) / t[-1]
        return result


def _cumulative(weights: np.ndarray) -> np.ndarray:
    """Cumulative sums along rows, starting at 0: B×n to B×(1 + n)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _without_each(ranked: _RankedPatches, units: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield weights of the n negatives and m positives, 0 for those of one unit after the other: B×n, B×m.

    units: N codes from 0 to S-1.
    """
    of_negatives, of_positives = units[ranked.negative_rows], units[ranked.positive_rows]
    numbers = np.arange(units.max() + 1)
    for some in np.array_split(numbers, 1 + len(numbers) * len(units) // BLOCK):
        yield tuple((of_class != some[:, None]).astype(float) for of_class in (of_negatives, of_positives))


def _variances(ranked: _RankedPatches, units: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The jackknife's variance of the sensitivity at each of P false positive rates; units: N codes."""
    left_out = [ranked.sensitivities(*weights, rates) for weights in _without_each(ranked, units)]
    return (spread(np.concatenate(left_out).T) ** 2).sum(axis=1)


def _groupings(units: np.ndarray) -> Iterator[np.ndarray]:
    """The units of N patches as they are, or, of more than MOST, GROUPS of them at random, again and again."""
    count, generator = int(units.max()) + 1, np.random.default_rng(0)
    if count <= MOST:
        yield units
        return
    for _ in range(GROUPINGS):
        yield (generator.permutation(count) % GROUPS)[units]


def _check_points(points: int) -> None:
    if points < 10:
        raise InputError(f"points: {points} is too few for a curve; 400 is usual")


def _thin(progress: np.ndarray, points: int) -> np.ndarray:
    """Indices of the points of a curve to keep; `progress` (never decreasing) is how far along they are.

    The first and the last point, two thirds evenly spaced along the curve, and a third at geometrically
    growing steps from the first point.
    """
    last = len(progress) - 1
    if last < points:
        return np.arange(last + 1)
    near = points // 3
    even = np.searchsorted(progress, np.linspace(progress[0], progress[-1], points - near))
    return np.unique([*even, *np.geomspace(1, last, near).astype(int), last])
