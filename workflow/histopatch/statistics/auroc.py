"""Area under the ROC curve: intervals, and contrasts of several models, by patch and by slide.

By patch takes patches as independent, which they are not where they share slides. By slide takes slides
as independent. Both are of a model as it is: neither knows that another training would give another.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, rankdata, t

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, finite_scores, slide_codes
from histopatch.statistics.resampling import areas_by_slide

# Areas that are the same up to rounding are the same: weights such as 1/3 leave a rest.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """The area with its confidence interval, within [0, 1]."""

    area: float
    low: float
    high: float


class Difference(NamedTuple):
    """A contrast of areas, as that of a minus that of b, with its interval and the two-sided p-value of none.

    The interval is within what areas from 0 to 1 allow: within [-1, 1] for two models.
    """

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


def delong_contrasts(labels, scores, weights, level: float = 0.95) -> list[Difference]:
    """Contrasts Σ w_k area_k of K models on the same independent patches, with DeLong's test of each.

    labels: N as in `delong`; scores: K lists of N; weights: C lists of K, each with the sum 0, as
    (1, -1) for a difference. With one patch of a class nothing is known of spread, and the interval is
    all that areas allow. Where no patch tells of any, as between two models without an error, it has no
    width and the p-value is 1 for no difference, else 0. Raises InputError where K or a sum is wrong.

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988, equation 5.
    """
    labels = binary_labels(labels, both=True)
    models = _models(labels, scores)
    placements = [_placements(labels, model) for model in models]
    per_positive, per_negative = map(np.stack, zip(*placements, strict=True))
    results = []
    for row in _contrast_weights(weights, len(models)):
        positives, negatives = row @ per_positive, row @ per_negative
        error = _standard_error(positives, negatives)
        results.append(_difference(row, positives.mean(), error, norm, level))
    return results


def delong_paired(labels, scores_a, scores_b, level: float = 0.95) -> Difference:
    """The difference of two models' areas on the same independent patches, with DeLong's test.

    labels, scores_a, scores_b: N each. The contrast (1, -1) of `delong_contrasts`.
    """
    return delong_contrasts(labels, [scores_a, scores_b], [[1, -1]], level)[0]


def bootstrap_by_slide(labels, scores, slides, *, repeats: int, seed: int, level: float = 0.95) -> Interval:
    """The area with the interval of its standard error over slides drawn with replacement.

    labels, scores: N as in `delong`; slides: N names, of two slides at least. The interval is symmetric
    on the logit scale, with a quantile of Student's t of `_effective_slides`: percentiles of the draws do
    not know how few slides stand behind them and are too near together. An area of 0 or 1 has the
    interval of `_margin_without_errors`.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 12; the logit scale: Pepe,
    The Statistical Evaluation of Medical Tests for Classification and Prediction, 2003, section 5.2.
    """
    labels = binary_labels(labels, both=True)
    slides = slide_codes(slides, len(labels))
    (areas,) = areas_by_slide(labels, [finite_scores(scores, len(labels))], slides, repeats, seed)
    area = areas[0]
    if area in (0, 1):
        with_positive, with_negative = (len(np.unique(slides[part])) for part in (labels, ~labels))
        pairs = min(with_positive, with_negative, (slides.max() + 1) // 2)
        margin = _margin_without_errors(pairs, level)
        return Interval(float(area), float(max(area - margin, 0)), float(min(area + margin, 1)))
    # The delta method: draws without an error have no logit.
    error = _error_of_draws(areas[1:], slides) / (area * (1 - area))
    margin = t.ppf((1 + level) / 2, _effective_slides(labels, slides)) * error
    return Interval(float(area), *(float(expit(logit(area) + side * margin)) for side in (-1, 1)))


def bootstrap_contrasts_by_slide(
    labels, scores, weights, slides, *, repeats: int, seed: int, level: float = 0.95
) -> list[Difference]:
    """Contrasts Σ w_k area_k of K models, all from the same draws of slides with replacement.

    labels, slides: N as in `bootstrap_by_slide`; scores: K lists of N; weights: C lists of K, each with
    the sum 0. Interval and p-value are those of the contrast over its standard error, by Student's t
    of `_effective_slides`: the p-value is below 1 - level where the interval leaves 0 out, however few
    the draws. Without any spread as in `delong_contrasts`. Raises InputError as those two.
    """
    labels = binary_labels(labels, both=True)
    models, slides = _models(labels, scores), slide_codes(slides, len(labels))
    weights = _contrast_weights(weights, len(models))
    contrasts = weights @ areas_by_slide(labels, models, slides, repeats, seed)
    student = t(_effective_slides(labels, slides))
    return [
        _difference(row, contrast[0], _error_of_draws(contrast[1:], slides), student, level)
        for row, contrast in zip(weights, contrasts, strict=True)
    ]


def paired_bootstrap_by_slide(
    labels, scores_a, scores_b, slides, *, repeats: int, seed: int, level: float = 0.95
) -> Difference:
    """The difference of two models' areas with interval and test over the same draws of slides.

    labels, scores_a, scores_b, slides: N each. The contrast (1, -1) of `bootstrap_contrasts_by_slide`.
    """
    return bootstrap_contrasts_by_slide(
        labels, [scores_a, scores_b], [[1, -1]], slides, repeats=repeats, seed=seed, level=level
    )[0]


def _models(labels: np.ndarray, scores) -> list[np.ndarray]:
    """Scores as K arrays of N; InputError where there is no model."""
    if len(scores) == 0:
        raise InputError("scores: there are none; give those of each model")
    return [finite_scores(model, len(labels)) for model in scores]


def _contrast_weights(weights, models: int) -> np.ndarray:
    """Weights as C×K floats; InputError where K is not the number of models or a sum is not 0."""
    rows = [np.asarray(row, float) for row in weights]
    for number, row in enumerate(rows):
        if row.shape != (models,):
            raise InputError(f"weights: {row.shape} in row {number} do not go with {models} models")
        if not abs(row.sum()) <= ROUNDING * max(1, np.abs(row).sum()):
            raise InputError(f"weights: the sum of row {number} is {row.sum():.6g}; that of a contrast is 0")
    return np.array(rows).reshape(-1, models)


def _difference(weights: np.ndarray, contrast: float, error: float, reference, level: float) -> Difference:
    """A contrast of K weights from its standard error and the distribution of their ratio."""
    contrast, error = (0.0 if abs(value) < ROUNDING else value for value in (contrast, error))
    margin = reference.ppf((1 + level) / 2) * error
    p_value = 2 * reference.sf(abs(contrast) / error) if error > 0 else contrast == 0
    # As far as all areas of positive weight at 1 and the others at 0 would go.
    furthest = weights[weights > 0].sum()
    low, high = max(contrast - margin, -furthest), min(contrast + margin, furthest)
    return Difference(float(contrast), float(low), float(high), float(p_value))


def _error_of_draws(draws: np.ndarray, slides: np.ndarray) -> float:
    """Standard error from R draws of S slides, whose variance is too small by (S - 1) / S on average.

    Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 2.3.
    """
    count = slides.max() + 1
    return np.std(draws, ddof=1) * np.sqrt(count / (count - 1))


def _effective_slides(labels: np.ndarray, slides: np.ndarray) -> float:
    """As how many slides with equally many patches count those of the class that has fewer: 1 or more.

    (Σ n)² / Σ n² over the patches n of each slide (Kish, Survey Sampling, 1965). As degrees of freedom: a
    hundred slides of which three have positives tell of the positives' spread what three tell.
    """
    patches = (np.bincount(slides[part]).astype(float) for part in (labels, ~labels))
    return min(counts.sum() ** 2 / (counts**2).sum() for counts in patches)


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
