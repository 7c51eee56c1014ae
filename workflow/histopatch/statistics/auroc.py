"""Area under the ROC curve: confidence intervals, and contrasts of several models, by patch or by slide.

By patch assumes that patches are independent, which they are not if they share slides. By slide assumes
that slides are independent. Both describe the models as trained: neither includes the variation between
trainings.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtr, stdtrit

from histopatch.errors import InputError
from histopatch.statistics.area import auroc
from histopatch.statistics.checks import binary_labels, finite_scores, slide_codes
from histopatch.statistics.resampling import areas_by_slide

# Differences up to rounding error count as none: weights such as 1/3 do not add up exactly.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """An AUROC with its confidence interval, within [0, 1]."""

    area: float
    low: float
    high: float


class Difference(NamedTuple):
    """A contrast of AUROCs, such as a minus b, with its interval and the two-sided p-value of no difference.

    The interval is limited to what AUROCs from 0 to 1 allow: [-1, 1] for two models.
    """

    difference: float
    low: float
    high: float
    p_value: float


class _Distribution(NamedTuple):
    """The distribution of an estimate over its standard error, without scipy.stats: a second to import."""

    quantile: Callable[[float], float]
    cdf: Callable[[float], float]


_NORMAL = _Distribution(ndtri, ndtr)


def _student(degrees: float) -> _Distribution:
    return _Distribution(partial(stdtrit, degrees), partial(stdtr, degrees))


def fold_aurocs(labels, scores, folds) -> np.ndarray:
    """The AUROC of each fold, in the order of the fold numbers; N of each, both classes in every fold."""
    labels, scores, folds = map(np.asarray, (labels, scores, folds))
    return np.array([auroc(labels[folds == fold], scores[folds == fold]) for fold in np.unique(folds)])


def delong(labels, scores, level: float = 0.95) -> Interval:
    """The AUROC with an interval from DeLong's variance, for independent patches.

    labels: N of 0 and 1, both present; scores: N, higher for positives; ties count one half. An AUROC of
    0 or 1 gets the exact bound of `_margin_without_errors`; any other one with a single patch of a class
    gets [0, 1].

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988; by ranks as in Sun & Xu, IEEE SPL 2014.
    """
    labels = binary_labels(labels, both=True)
    per_positive, per_negative = _placements(labels, finite_scores(scores, len(labels)))
    area = per_positive.mean()
    if area in (0, 1):
        margin = _margin_without_errors(min(len(per_positive), len(per_negative)), level)
    else:
        margin = _NORMAL.quantile((1 + level) / 2) * _standard_error(per_positive, per_negative)
    return Interval(float(area), float(max(area - margin, 0)), float(min(area + margin, 1)))


def delong_contrasts(labels, scores, weights, level: float = 0.95) -> list[Difference]:
    """Contrasts Σ w_k AUROC_k of K models on the same independent patches, each with DeLong's test.

    labels: N as in `delong`; scores: K lists of N; weights: C lists of K that each add up to 0, such as
    (1, -1) for a difference. With a single patch of a class the spread is unknown, and the interval is the
    widest that AUROCs allow. If the placements of all patches agree between the models, as for two models
    without errors, the interval has no width and the p-value is 1 for no difference, else 0. Raises
    InputError if a list has the wrong length or weights do not add up to 0.

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
        results.append(_difference(row, positives.mean(), error, _NORMAL, level))
    return results


def bootstrap_by_slide(labels, scores, slides, *, resamples: int, seed: int, level: float = 0.95) -> Interval:
    """The AUROC with an interval from its standard error over slides drawn with replacement.

    labels, scores: N as in `delong`; slides: N names, of at least two slides. The interval is symmetric on
    the logit scale and uses a quantile of Student's t with `_effective_slides` degrees of freedom:
    percentiles of the draws ignore how few slides there are and are too close together. An AUROC of 0 or 1
    gets the exact bound of `_margin_without_errors`.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 12; the logit scale: Pepe,
    The Statistical Evaluation of Medical Tests for Classification and Prediction, 2003, section 5.2.
    """
    labels = binary_labels(labels, both=True)
    slides = slide_codes(slides, len(labels))
    (areas,) = areas_by_slide(labels, [finite_scores(scores, len(labels))], slides, resamples, seed)
    area = areas[0]
    if area in (0, 1):
        with_positives, with_negatives = (len(np.unique(slides[part])) for part in (labels, ~labels))
        pairs = min(with_positives, with_negatives, (slides.max() + 1) // 2)
        margin = _margin_without_errors(pairs, level)
        return Interval(float(area), float(max(area - margin, 0)), float(min(area + margin, 1)))
    # The delta method: the logits of the draws themselves may be infinite.
    error = _error_of_draws(areas[1:], slides) / (area * (1 - area))
    margin = _student(_effective_slides(labels, slides)).quantile((1 + level) / 2) * error
    return Interval(float(area), *(float(expit(logit(area) + side * margin)) for side in (-1, 1)))


def bootstrap_contrasts_by_slide(
    labels, scores, weights, slides, *, resamples: int, seed: int, level: float = 0.95
) -> list[Difference]:
    """Contrasts Σ w_k AUROC_k of K models, all from the same draws of slides with replacement.

    labels, slides: N as in `bootstrap_by_slide`; scores: K lists of N; weights: C lists of K that each add
    up to 0. Interval and p-value come from the contrast over its standard error, by Student's t with
    `_effective_slides` degrees of freedom, so the p-value is below 1 - level exactly if the interval
    excludes 0, however few the draws. Contrasts without spread, and errors, as in `delong_contrasts`.
    """
    labels = binary_labels(labels, both=True)
    models, slides = _models(labels, scores), slide_codes(slides, len(labels))
    weights = _contrast_weights(weights, len(models))
    contrasts = weights @ areas_by_slide(labels, models, slides, resamples, seed)
    student = _student(_effective_slides(labels, slides))
    return [
        _difference(row, contrast[0], _error_of_draws(contrast[1:], slides), student, level)
        for row, contrast in zip(weights, contrasts, strict=True)
    ]


def _models(labels: np.ndarray, scores) -> list[np.ndarray]:
    """Scores as K arrays of N; InputError if there is no model."""
    if len(scores) == 0:
        raise InputError("scores: there are none; give the scores of at least one model")
    return [finite_scores(model, len(labels)) for model in scores]


def _contrast_weights(weights, models: int) -> np.ndarray:
    """Weights as C×K floats; InputError unless every row has K weights that add up to 0."""
    rows = [np.asarray(row, float) for row in weights]
    for number, row in enumerate(rows):
        if row.shape != (models,):
            raise InputError(
                f"weights: row {number} has shape {row.shape}; give one weight for each of {models} models"
            )
        if not abs(row.sum()) <= ROUNDING * max(1, np.abs(row).sum()):
            raise InputError(f"weights: row {number} adds up to {row.sum():.6g}; a contrast adds up to 0")
    return np.array(rows).reshape(-1, models)


def _difference(
    weights: np.ndarray, contrast: float, error: float, distribution: _Distribution, level: float
) -> Difference:
    """A contrast of K weights, from its standard error and the distribution of their ratio."""
    contrast, error = (0.0 if abs(value) < ROUNDING else value for value in (contrast, error))
    margin = distribution.quantile((1 + level) / 2) * error
    p_value = 2 * distribution.cdf(-abs(contrast) / error) if error > 0 else contrast == 0
    # The extreme: every AUROC with a positive weight is 1 and all others are 0.
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
    """Kish's effective number of slides of the rarer class, at least 1; used as degrees of freedom.

    (Σ n)² / Σ n² over the patches n of each slide (Kish, Survey Sampling, 1965); the lower one of both
    classes. With positives on three of a hundred slides, the spread of positives is known from three.
    """
    patches = (np.bincount(slides[part]).astype(float) for part in (labels, ~labels))
    return min(counts.sum() ** 2 / (counts**2).sum() for counts in patches)


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive the share of negatives below, for each negative the share of positives above."""
    positives, negatives = scores[labels], scores[~labels]
    return _share_below(positives, negatives), 1 - _share_below(negatives, positives)


def _share_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of the others below each score; ties count one half."""
    others = np.sort(others)
    below, not_above = (np.searchsorted(others, scores, side) for side in ("left", "right"))
    return (below + not_above) / 2 / len(others)


def _standard_error(per_positive: np.ndarray, per_negative: np.ndarray) -> float:
    """From the placements of both classes; infinite if a class has a single patch and so no known spread."""
    classes = (per_positive, per_negative)
    if min(map(len, classes)) < 2:
        return np.inf
    return np.sqrt(sum(placements.var(ddof=1) / len(placements) for placements in classes))


def _margin_without_errors(pairs: int, level: float) -> float:
    """Distance from an AUROC of 0 or 1, which shows no spread, to its exact confidence bound.

    All of `pairs` independent pairs of a positive and a negative are ordered alike, which has probability
    AUROC^pairs: the exact bound behind the rule of three (Hanley & Lippman-Hand, JAMA 1983).
    """
    return 1 - ((1 - level) / 2) ** (1 / pairs)
