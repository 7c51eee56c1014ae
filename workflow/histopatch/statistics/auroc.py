"""Area under the ROC curve: confidence intervals, and contrasts of several models, by patch or by slide.

By patch assumes that patches are independent, which they are not if they share slides. By slide assumes
that slides are independent. Both describe the models as trained: neither includes the variation between
trainings.

With cross-validation an AUROC is the mean over folds of that within the fold, as each fold is predicted by
another network (LeDell, Petersen & van der Laan, Electronic Journal of Statistics 2015).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, stdtrit

from histopatch.errors import InputError
from histopatch.statistics.area import auroc, count_below
from histopatch.statistics.checks import binary_labels, checked_folds, finite_scores, slide_codes
from histopatch.statistics.jackknife import leave_one_out_within_folds, spread
from histopatch.statistics.multiplicity import Simultaneous, max_t

# Differences up to rounding error count as none: weights such as 1/3 do not add up exactly.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """An AUROC with its confidence interval, within [0, 1]."""

    area: float
    low: float
    high: float


class Difference(NamedTuple):
    """A contrast of AUROCs, such as a minus b, with its interval and the two-sided p-value of no difference.

    The interval is limited to what AUROCs from 0 to 1 allow: [-1, 1] for two models. The p-value is NaN
    where nothing can be said, and the interval then the widest possible.
    """

    difference: float
    low: float
    high: float
    p_value: float


class Precision(NamedTuple):
    """What intervals and tests by slide rest on.

    The standard errors of K AUROCs and of C contrasts of them, the number of slides with patches of the rarer
    class, one more than Student's t has degrees of freedom, and the critical value of all contrasts together.
    """

    errors: np.ndarray
    contrast_errors: np.ndarray
    rarer: int
    critical: float


class _Model(NamedTuple):
    """The scores of N patches by one run, and the fold that each patch was in."""

    scores: np.ndarray
    folds: np.ndarray


class LogitArea(NamedTuple):
    """An AUROC on the logit scale, where its interval is symmetric.

    spread: its jackknife deviations (U), one for each unit in order of first appearance, whose squares add up
    to the variance that units explain; error: the whole standard error, infinite where nothing can be said;
    degrees: of freedom of Student's t.
    """

    value: float
    spread: np.ndarray
    error: float
    degrees: int


class _Areas(NamedTuple):
    """The AUROCs of K models, a spread (K×U) with spread @ spread.T their covariance, degrees of freedom.

    There is no spread if a class has fewer than two units: then nothing can be said.
    """

    areas: np.ndarray
    spread: np.ndarray | None
    degrees: float


def fold_aurocs(labels, scores, folds) -> np.ndarray:
    """The AUROC of each fold, in the order of the fold numbers; N of each, both classes in every fold.

    Their mean is the AUROC that `delong` and `jackknife_by_slide` give an interval to.
    """
    labels, scores, folds = map(np.asarray, (labels, scores, folds))
    return np.array([auroc(labels[folds == fold], scores[folds == fold]) for fold in np.unique(folds)])


def slides_of_the_rarer_class(labels, slides) -> int:
    """The lower of the numbers of slides with positives and of those with negatives; N of each.

    Below two, nothing can be said by slide about an AUROC.
    """
    labels = binary_labels(labels)
    slides = slide_codes(slides, len(labels))
    return min(len(np.unique(slides[part])) for part in (labels, ~labels))


def delong(labels, scores, level: float = 0.95, *, folds=None) -> Interval:
    """The AUROC with an interval from DeLong's variance, for independent patches.

    labels: N of 0 and 1, both present; scores: N, higher for positives; ties count one half; folds: N, or
    None for a single one. The interval is that of `_interval`; with a single patch of a class in a fold it
    is [0, 1].

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988; by ranks as in Sun & Xu, IEEE SPL 2014.
    """
    labels = binary_labels(labels, both=True)
    models = _models(labels, [scores], None if folds is None else [folds])
    return _interval(_by_patch(labels, models), len(labels), level)


def jackknife_by_slide(labels, scores, slides, level: float = 0.95, *, folds=None) -> Interval:
    """The AUROC with an interval from its jackknife variance, one slide with all its patches at a time.

    labels, scores, folds: as in `delong`; slides: N names. The interval is that of `_interval`;
    with fewer than two slides with positives, or with negatives, it is [0, 1].
    """
    labels = binary_labels(labels, both=True)
    models = _models(labels, [scores], None if folds is None else [folds])
    return _interval(_by_slide(labels, models, slide_codes(slides, len(labels))), len(labels), level)


def logit_area(labels, scores, slides=None) -> LogitArea:
    """The AUROC on the logit scale that the intervals of `jackknife_by_slide`, or of `delong`, are made of.

    labels, scores: N as in `delong`; slides: N names, or None for independent patches.
    """
    labels = binary_labels(labels, both=True)
    models = _models(labels, [scores], None)
    by_unit = (
        _by_patch(labels, models)
        if slides is None
        else _by_slide(labels, models, slide_codes(slides, len(labels)))
    )
    return _on_logit_scale(by_unit, len(labels))


def delong_contrasts(labels, scores, weights, level: float = 0.95, *, folds=None) -> list[Difference]:
    """Contrasts Σ w_k AUROC_k of K models on the same independent patches, with DeLong's covariance.

    labels: N as in `delong`; scores: K lists of N; weights: C lists of K that each add up to 0, such as
    (1, -1) for a difference; folds: K lists of N, or None. Intervals and p-values hold for all C contrasts
    together, by the maximum of |t|, so a p-value is at most 1 - level exactly if the interval excludes 0.
    With a single patch of a class in a fold, or no spread between models that rank patches differently,
    nothing can be said. Raises InputError if a list has the wrong length or weights do not add up to 0.

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988, equation 5.
    """
    labels = binary_labels(labels, both=True)
    models = _models(labels, scores, folds)
    return _contrasts(_by_patch(labels, models), models, weights, level)


def contrasts_by_slide(
    labels, scores, weights, slides, level: float = 0.95, *, folds=None
) -> list[Difference]:
    """The same with the jackknife's covariance over slides; slides: N names, all else as there."""
    labels = binary_labels(labels, both=True)
    models, slides = _models(labels, scores, folds), slide_codes(slides, len(labels))
    return _contrasts(_by_slide(labels, models, slides), models, weights, level)


def precision_by_slide(
    labels, scores, weights, slides, level: float = 0.95, *, folds=None
) -> Precision | None:
    """What `jackknife_by_slide` and `contrasts_by_slide` rest on; None where nothing can be said.

    All arguments as there.
    """
    labels = binary_labels(labels, both=True)
    models, slides = _models(labels, scores, folds), slide_codes(slides, len(labels))
    estimate = _by_slide(labels, models, slides)
    if estimate.spread is None:
        return None
    errors, together = _judged(estimate, _contrast_weights(weights, len(models)), level)
    own = np.sqrt((estimate.spread**2).sum(axis=1)) + 1 / (2 * len(labels))
    return Precision(own, errors, estimate.degrees + 1, together.critical)


def _by_patch(labels: np.ndarray, models: list[_Model]) -> _Areas:
    areas, deviations = np.zeros(len(models)), np.zeros((len(models), len(labels)))
    rarest, degrees = [], min(labels.sum(), (~labels).sum())
    for k, model in enumerate(models):
        numbers = np.unique(model.folds)
        for number in numbers:
            own = np.flatnonzero(model.folds == number)
            classes = own[labels[own]], own[~labels[own]]
            for patches, values in zip(classes, _placements(labels[own], model.scores[own]), strict=True):
                rarest.append(len(values))
                scale = len(numbers) * np.sqrt(len(values) * max(len(values) - 1, 1))
                deviations[k, patches] = (values - values.mean()) / scale
            areas[k] += values.mean() / len(numbers)
        degrees = min(degrees, min(labels.sum(), (~labels).sum()) - len(numbers))
    return _Areas(areas, deviations, int(degrees)) if min(rarest) > 1 else _Areas(areas, None, 0)


def _by_slide(labels: np.ndarray, models: list[_Model], slides: np.ndarray) -> _Areas:
    rarer = slides_of_the_rarer_class(labels, slides)
    areas, left_out = zip(
        *(leave_one_out_within_folds(labels, model.scores, slides, model.folds) for model in models),
        strict=True,
    )
    if rarer < 2 or not np.isfinite(left_out).all():
        return _Areas(np.array(areas), None, 0)
    return _Areas(np.array(areas), spread(np.stack(left_out)), rarer - 1)


def _on_logit_scale(estimate: _Areas, patches: int) -> LogitArea:
    """The first AUROC on the logit scale, with one degree of freedom less than units of the rarer class.

    Near 0 and 1 hardly a pair is misordered, and the spread over units says little. So the AUROC is moved
    towards one half by half a patch of all N that would be misordered with everything, and its standard
    error grows by as much: a model without errors keeps a bound, better than that of one with a few.

    The logit scale: Pepe, The Statistical Evaluation of Medical Tests for Classification and Prediction,
    2003, section 5.2.
    """
    half = 1 / (2 * patches)
    moved = (float(estimate.areas[0]) + half) / (1 + 2 * half)
    if estimate.spread is None:
        return LogitArea(float(logit(moved)), np.zeros(0), np.inf, 0)
    slope = 1 / (moved * (1 - moved))
    error = np.sqrt((estimate.spread[0] ** 2).sum()) + half
    return LogitArea(float(logit(moved)), slope * estimate.spread[0], float(slope * error), estimate.degrees)


def _interval(estimate: _Areas, patches: int, level: float) -> Interval:
    """Symmetric on the logit scale (`_on_logit_scale`), with Student's t."""
    area, moved = float(estimate.areas[0]), _on_logit_scale(estimate, patches)
    if moved.degrees < 1:
        return Interval(area, 0.0, 1.0)
    margin = stdtrit(moved.degrees, (1 + level) / 2) * moved.error
    low, high = (float(expit(moved.value + side * margin)) for side in (-1, 1))
    return Interval(area, min(low, area), max(high, area))


def _models(labels: np.ndarray, scores, folds) -> list[_Model]:
    """K models from K lists of N scores and as many of folds, or None where each has a single fold.

    Raises InputError if there is no model, or a fold has one class only.
    """
    if len(scores) == 0:
        raise InputError("scores: there are none; give the scores of at least one model")
    if folds is None:
        folds = np.zeros((len(scores), len(labels)), int)
    return [
        _Model(finite_scores(model, len(labels)), checked_folds(of_model, labels))
        for model, of_model in zip(scores, folds, strict=True)
    ]


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


def _contrasts(estimate: _Areas, models: list[_Model], weights, level: float) -> list[Difference]:
    weights = _contrast_weights(weights, len(models))
    # The extreme: every AUROC with a positive weight is 1 and all others are 0.
    furthest = np.maximum(weights, 0).sum(axis=1)
    contrasts = weights @ estimate.areas
    contrasts[np.abs(contrasts) < ROUNDING] = 0
    if estimate.spread is None:
        return [
            Difference(float(contrast), float(-limit), float(limit), np.nan)
            for contrast, limit in zip(contrasts, furthest, strict=True)
        ]
    errors, together = _judged(estimate, weights, level)
    results = []
    for row, contrast, error, limit, p_value in zip(
        weights, contrasts, errors, furthest, together.p_values, strict=True
    ):
        margin = together.critical * error
        if error < ROUNDING:
            alike = contrast == 0 and _rank_alike([models[k] for k in np.flatnonzero(row)])
            margin, p_value = (0.0, 1.0) if alike else (2 * limit, np.nan)
        low, high = max(contrast - margin, -limit), min(contrast + margin, limit)
        results.append(Difference(float(contrast), float(low), float(high), float(p_value)))
    return results


def _judged(estimate: _Areas, weights: np.ndarray, level: float) -> tuple[np.ndarray, Simultaneous]:
    """The standard errors of C contrasts (C×K weights), and their critical value and p-values together.

    A contrast without any spread has no p-value: it is NaN.
    """
    contrasts = weights @ estimate.areas
    errors = np.sqrt(((weights @ estimate.spread) ** 2).sum(axis=1))
    spreading = errors >= ROUNDING
    ratios = contrasts[spreading] / errors[spreading]
    # The root of the correlations needs no more columns than there are models.
    root = weights[spreading] @ np.linalg.qr(estimate.spread.T, mode="r").T / errors[spreading, None]
    together = max_t(ratios, root, estimate.degrees, level)
    p_values = np.full(len(weights), np.nan)
    p_values[spreading] = together.p_values
    return errors, Simultaneous(together.critical, p_values)


def _rank_alike(models: list[_Model]) -> bool:
    """Whether all models put the patches in the same order, so that nothing can tell them apart."""
    ranks = [np.unique(model.scores, return_inverse=True)[1] for model in models]
    same_folds = all(np.array_equal(models[0].folds, other.folds) for other in models[1:])
    return same_folds and all(np.array_equal(ranks[0], other) for other in ranks[1:])


def _placements(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each positive the share of negatives below, for each negative the share of positives above."""
    positives, negatives = scores[labels], scores[~labels]
    below = count_below(positives, negatives) / len(negatives)
    return below, 1 - count_below(negatives, positives) / len(positives)
