"""Area under the ROC curve: intervals, and differences between two models, by patch and by slide.

By patch takes patches as independent, which they are not where they share slides. By slide takes slides
as independent. Both are of a model as it is: neither knows that another training would give another.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from pcam.evaluation.predictions import binary_labels, finite_scores, slide_codes
from pcam.evaluation.resampling import areas_by_slide


class Interval(NamedTuple):
    """The area with its confidence interval, within [0, 1]."""

    area: float
    low: float
    high: float


class Difference(NamedTuple):
    """The area of a minus that of b, its interval within [-1, 1], and the two-sided p-value of none."""

    difference: float
    low: float
    high: float
    p_value: float


def delong(labels, scores, level: float = 0.95) -> Interval:
    """The area with the interval of DeLong's variance, for independent patches.

    labels: N of 0 and 1, both present; scores: N, higher for positives; ties count one half. An area of 0
    or 1 has the interval of `_margin_without_errors`, any other with one patch of a class has [0, 1].

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988; by ranks as in Sun & Xu, IEEE SPL 2014.
    """
    labels = binary_labels(labels, both=True)
    per_positive, per_negative = _placements(labels, finite_scores(scores, len(labels)))
    area = per_positive.mean()
    if area in (0, 1):
        margin = _margin_without_errors(min(len(per_positive), len(per_negative)), level)
    else:
        margin = norm.ppf((1 + level) / 2) * _standard_error(per_positive, per_negative)
    return Interval(float(area), float(max(area - margin, 0)), float(min(area + margin, 1)))


def delong_paired(labels, scores_a, scores_b, level: float = 0.95) -> Difference:
    """The difference of two models' areas on the same independent patches, with DeLong's test.

    labels, scores_a, scores_b: N each, as in `delong`. With one patch of a class the interval is
    [-1, 1]. Where no patch tells of any spread, as between two models without an error, the interval has
    no width and the p-value is 1 for no difference, else 0.
    """
    labels = binary_labels(labels, both=True)
    pair = [_placements(labels, finite_scores(scores, len(labels))) for scores in (scores_a, scores_b)]
    per_positive, per_negative = (a - b for a, b in zip(*pair, strict=True))
    difference, error = per_positive.mean(), _standard_error(per_positive, per_negative)
    margin = norm.ppf((1 + level) / 2) * error
    p_value = 2 * norm.sf(abs(difference) / error) if error > 0 else difference == 0
    low, high = max(difference - margin, -1), min(difference + margin, 1)
    return Difference(float(difference), float(low), float(high), float(p_value))


def bootstrap_by_slide(labels, scores, slides, *, repeats: int, seed: int, level: float = 0.95) -> Interval:
    """The area with the percentile interval over slides drawn with replacement.

    labels, scores: N as in `delong`; slides: N names, of two slides at least. An area of 0 or 1 has
    the interval of `_margin_without_errors`.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    labels = binary_labels(labels, both=True)
    slides = slide_codes(slides, len(labels))
    (areas,) = areas_by_slide(labels, [finite_scores(scores, len(labels))], slides, repeats, seed)
    area, low, high = areas[0], *np.quantile(areas[1:], [(1 - level) / 2, (1 + level) / 2])
    if area in (0, 1):
        with_positive, with_negative = (len(np.unique(slides[part])) for part in (labels, ~labels))
        pairs = min(with_positive, with_negative, (slides.max() + 1) // 2)
        margin = _margin_without_errors(pairs, level)
        low, high = max(area - margin, 0), min(area + margin, 1)
    return Interval(float(area), float(low), float(high))


def paired_bootstrap_by_slide(
    labels, scores_a, scores_b, slides, *, repeats: int, seed: int, level: float = 0.95
) -> Difference:
    """The difference of two models' areas with the percentile interval over the same draws of slides.

    labels, scores_a, scores_b, slides: N each, as in `bootstrap_by_slide`. The p-value is twice the share
    of draws on the far side of no difference, where one more than was seen is counted: it is never below
    2 / (repeats + 1). The test that the interval inverts: Efron & Tibshirani 1993, chapter 15; one more:
    Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.
    """
    labels = binary_labels(labels, both=True)
    pair = [finite_scores(scores, len(labels)) for scores in (scores_a, scores_b)]
    a, b = areas_by_slide(labels, pair, slide_codes(slides, len(labels)), repeats, seed)
    difference, draws = a[0] - b[0], a[1:] - b[1:]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    far = min(np.sum(draws <= 0), np.sum(draws >= 0))
    p_value = min(2 * (far + 1) / (repeats + 1), 1)
    return Difference(float(difference), float(low), float(high), float(p_value))


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of negatives below each positive, and of positives above each negative."""
    positives, negatives = scores[labels], scores[~labels]
    m, n = len(positives), len(negatives)
    ranks = rankdata(np.concatenate([positives, negatives]))
    return (ranks[:m] - rankdata(positives)) / n, 1 - (ranks[m:] - rankdata(negatives)) / m


def _standard_error(per_positive: np.ndarray, per_negative: np.ndarray) -> float:
    """From both classes' placements; infinite where a class has one patch, which tells of no spread."""
    classes = (per_positive, per_negative)
    if min(map(len, classes)) < 2:
        return np.inf
    return np.sqrt(sum(placements.var(ddof=1) / len(placements) for placements in classes))


def _margin_without_errors(pairs: int, level: float) -> float:
    """How far the area may be from the 0 or 1 that was seen, where no spread can be seen.

    All of `pairs` independent pairs of a positive and a negative are ordered alike, which happens with
    the probability area^pairs: the exact bound behind the rule of three (Hanley & Lippman-Hand, JAMA
    1983).
    """
    return 1 - ((1 - level) / 2) ** (1 / pairs)
