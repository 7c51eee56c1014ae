"""Curves of a classifier, thinned for a drawing: ROC with a band, and precision against recall."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, probabilities_of_one, slide_codes
from histopatch.statistics.resampling import BLOCK, check_repeats, draw_slides


def roc_band(
    labels,
    probabilities,
    slides=None,
    *,
    repeats: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    points: int = 400,
) -> pd.DataFrame:
    """The ROC curve with the percentile band of the sensitivity at each false positive rate.

    labels: N of 0 and 1, both present; probabilities: N; slides: N names, of two slides at least. The band
    is pointwise, each rate for itself, over slides drawn with replacement with all their patches, or where
    slides are not given over patches drawn with replacement within each class, which takes them as
    independent. Columns: `false_positive_rate`, `true_positive_rate`, `low`, `high`, all within [0, 1].

    The first row is (0, 0); then come false positive rates that are reached, from 0 up to 1, each with the
    highest sensitivity reached there: `points` rows at most, of which a third lie near 0. Raises
    InputError with one class, one slide, fewer than two repeats or ten points.

    Vertical averaging: Fawcett, Pattern Recognition Letters 2006, section 9.1; over slides: Rutter,
    Academic Radiology 2000.
    """
    _check_points(points)
    labels = binary_labels(labels, both=True)
    probabilities = probabilities_of_one(probabilities, len(labels))
    curve = _Curve(labels, probabilities)
    if slides is None:
        draws = _draw_patches(curve, repeats, seed)
    else:
        draws = _draw_slides(curve, labels, slide_codes(slides, len(labels)), repeats, seed)
    rates = curve.rates()
    given = curve.sensitivities(np.ones((1, curve.negatives)), np.ones((1, curve.positives)), rates)[0]
    kept = _thin(rates + given, points - 1)
    rates, given = rates[kept], given[kept]
    drawn = np.concatenate([curve.sensitivities(*weights, rates) for weights in draws])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    columns = {"false_positive_rate": rates, "true_positive_rate": given, "low": low, "high": high}
    return pd.DataFrame({name: np.concatenate([[0.0], values]) for name, values in columns.items()})


def precision_recall(labels, probabilities, points: int = 400) -> pd.DataFrame:
    """Precision against recall: rows `recall`, `precision`, of rising recall from 0 to 1.

    labels: N of 0 and 1, both present; probabilities: N. Each recall that is reached has the highest
    precision that it is reached with, and a recall of 0 by convention a precision of 1; at most `points`
    rows, of which a third lie near 0. Raises InputError with one class or fewer than ten points.
    """
    _check_points(points)
    labels = binary_labels(labels, both=True)
    probabilities = probabilities_of_one(probabilities, len(labels))
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    recall, first = np.unique(recall[::-1], return_index=True)  # by falling threshold: the best comes first
    precision = precision[::-1][first]
    kept = _thin(recall, points)
    return pd.DataFrame({"recall": recall[kept], "precision": precision[kept]})


class _Curve:
    """The order of N patches by probability, highest first, so that draws of them need no sorting."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray):
        falling = np.argsort(-probabilities, kind="stable")
        labels, values = labels[falling], -probabilities[falling]
        self.positive_rows, self.negative_rows = falling[labels], falling[~labels]
        self.positives, self.negatives = len(self.positive_rows), len(self.negative_rows)
        positives, negatives = values[labels], values[~labels]
        # For each negative: the negatives above it and those not below it, then the same of positives.
        self.above, self.not_below = (np.searchsorted(negatives, negatives, s) for s in ("left", "right"))
        self.positives_above, self.positives_not_below = (
            np.searchsorted(positives, negatives, s) for s in ("left", "right")
        )

    def rates(self) -> np.ndarray:
        """The false positive rates that thresholds reach, from 0 to 1."""
        return np.concatenate([[0], np.unique(self.not_below)]) / self.negatives

    def sensitivities(self, negatives: np.ndarray, positives: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """The highest sensitivity at each of P rates in each of B draws: B×P.

        negatives, positives: how often each patch was drawn, by falling probability, B×n and B×m, at
        least one of each class. Between two thresholds, where patches tie, sensitivity rises linearly.
        """
        false = _running_sums(negatives)
        true = _running_sums(positives)
        # Numbers of patches, but for rounding: without it a rate that is reached might be just missed.
        wanted = np.round(rates * false[:, -1:], 6)
        result = np.ones(wanted.shape)
        for row, (f, t, targets) in enumerate(zip(false, true, wanted, strict=True)):
            inside = targets < f[-1]
            # The first negative that would be one too many, with those that tie with it.
            tied = np.searchsorted(f, targets[inside], side="right") - 1
            before, after = f[self.above[tied]], f[self.not_below[tied]]
            start, end = t[self.positives_above[tied]], t[self.positives_not_below[tied]]
            share = (targets[inside] - before) / (after - before)
            result[row, inside] = (start + share * (end - start)) / t[-1]
        return result


def _running_sums(weights: np.ndarray) -> np.ndarray:
    """B×(1 + n) from B×n, from 0 to the sum of all."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _draw_slides(
    curve: _Curve, labels: np.ndarray, slides: np.ndarray, repeats: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How often the negatives and the positives of `curve` were drawn with their slides: B×n and B×m."""
    of_negatives, of_positives = slides[curve.negative_rows], slides[curve.positive_rows]
    for times in draw_slides(labels, slides, repeats, seed):
        times = np.ascontiguousarray(times.T)
        yield np.take(times, of_negatives, axis=1), np.take(times, of_positives, axis=1)


def _draw_patches(curve: _Curve, repeats: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same over patches, n of the negatives and m of the positives with replacement."""
    check_repeats(repeats)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // (curve.negatives + curve.positives))
    for start in range(0, repeats, block):
        size = min(block, repeats - start)
        yield tuple(_draw(generator, size, count) for count in (curve.negatives, curve.positives))


def _draw(generator: np.random.Generator, size: int, count: int) -> np.ndarray:
    """How often each of `count` patches is among as many drawn with replacement: size×count."""
    drawn = generator.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)


def _check_points(points: int) -> None:
    if points < 10:
        raise InputError(f"points: {points} is too few for a curve; 400 is usual")


def _thin(progress: np.ndarray, points: int) -> np.ndarray:
    """Which of the points of a curve to keep, of which `progress` (never falling) says how far along each is.

    The first and the last, two thirds evenly spaced along the curve, and a third with steps that grow from
    the first point on.
    """
    last = len(progress) - 1
    if last < points:
        return np.arange(last + 1)
    near = points // 3
    even = np.searchsorted(progress, np.linspace(progress[0], progress[-1], points - near))
    return np.unique([*even, *np.geomspace(1, last, near).astype(int), last])
