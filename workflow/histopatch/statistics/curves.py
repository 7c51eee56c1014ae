"""Curves of a classifier, thinned for plotting: ROC with a confidence band, and precision-recall."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.leave_out import degrees_of_freedom, unit_codes
from histopatch.statistics.proportions import bounds_from_variance
from histopatch.statistics.resampling import BLOCK, RESAMPLES, check_resamples, draw_slides


def roc_band(
    labels,
    probabilities,
    slides=None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
    points: int = 400,
) -> pd.DataFrame:
    """The ROC curve with an interval of the sensitivity at each false positive rate.

    labels: N of 0 and 1, both present; probabilities: N; slides: N names. The band is pointwise (for each
    rate by itself): the variance of the sensitivity is that over slides drawn with replacement with all their
    patches, and the interval Korn and Graubard's, with the degrees of freedom of
    `leave_out.degrees_of_freedom`; where only one slide has the rarer class, nothing can be said and the band
    is [0, 1]. If no slides are given,
    patches are drawn with replacement within each class, which assumes that they are independent. Columns:
    `false_positive_rate`, `true_positive_rate`, `low`, `high`, all within [0, 1].

    The first row is (0, 0); then follow false positive rates that occur, from 0 to 1, each with the highest
    sensitivity at that rate: at most `points` rows, a third of them near 0. Raises InputError for one class,
    fewer than two resamples or fewer than ten points.

    Vertical averaging: Fawcett, Pattern Recognition Letters 2006, section 9.1; over slides: Rutter,
    Academic Radiology 2000; the interval: Korn & Graubard, Survey Methodology 1998.
    """
    _check_points(points)
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    ranked = _RankedPatches(labels, probabilities)
    units = unit_codes(slides, len(labels))
    rates = ranked.rates()
    once = np.ones((1, ranked.negatives)), np.ones((1, ranked.positives))
    sensitivities = ranked.sensitivities(*once, rates)[0]
    shown = _thin(rates + sensitivities, points - 1)
    rates, sensitivities = rates[shown], sensitivities[shown]
    low, high = np.zeros(len(rates)), np.ones(len(rates))
    if degrees := degrees_of_freedom(labels, units):
        draws = (
            _draw_patches(ranked, resamples, seed)
            if slides is None
            else _draw_slides(ranked, labels, units, resamples, seed)
        )
        drawn = np.concatenate([ranked.sensitivities(*weights, rates) for weights in draws])
        # A mean of S values drawn from S has a variance that is too small by this.
        count = units.max() + 1
        variances = drawn.var(axis=0, ddof=1) * count / (count - 1)
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
    """N patches ranked by probability, highest first, so that weighted draws of them need no sorting."""

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
        """The highest sensitivity at each of P false positive rates in each of B draws: B×P.

        negatives, positives: how often each patch was drawn, by decreasing probability, B×n and B×m, at
        least one of each class. Across tied patches sensitivity rises linearly.
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


def _draw_slides(
    ranked: _RankedPatches, labels: np.ndarray, slides: np.ndarray, resamples: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield how often the n negatives and m positives were drawn with their slides, as B×n and B×m."""
    of_negatives, of_positives = slides[ranked.negative_rows], slides[ranked.positive_rows]
    for times in draw_slides(labels, slides, resamples, seed):
        times = np.ascontiguousarray(times.T)
        yield np.take(times, of_negatives, axis=1), np.take(times, of_positives, axis=1)


def _draw_patches(
    ranked: _RankedPatches, resamples: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the same for patches drawn with replacement within each class."""
    check_resamples(resamples)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // (ranked.negatives + ranked.positives))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield tuple(_draw(generator, size, count) for count in (ranked.negatives, ranked.positives))


def _draw(generator: np.random.Generator, size: int, count: int) -> np.ndarray:
    """How often each of `count` patches occurs among `count` draws with replacement: size×count."""
    drawn = generator.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)


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
