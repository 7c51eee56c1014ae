"""What the choice of the best of several models promises too much, estimated where nothing is held out.

The highest of several AUROCs is partly the highest by chance, so the chosen model does less well on new
slides. Models are chosen over and over on slides drawn with replacement, and each choice is judged on the
slides that its draw left out.

Tsamardinos, Greasidou & Borboudakis, Machine Learning 2018 (bootstrap bias-corrected cross-validation).
"""

from collections.abc import Sequence

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.auroc import slides_of_the_rarer_class
from histopatch.statistics.checks import binary_labels, checked_folds, finite_scores, slide_codes
from histopatch.statistics.resampling import BLOCK, RESAMPLES, draw_slides

# With fewer slides, or fewer of a class, the correction itself is off (docs/statistics.md).
ENOUGH, ENOUGH_OF_A_CLASS = 10, 5


def enough_to_correct(labels, slides) -> bool:
    """Whether there are ENOUGH slides, and ENOUGH_OF_A_CLASS with positives and with negatives; N of each."""
    slides = slide_codes(slides, len(labels))
    return slides.max() + 1 >= ENOUGH and slides_of_the_rarer_class(labels, slides) >= ENOUGH_OF_A_CLASS


def auroc_of_the_choice(
    labels,
    scores: Sequence,
    slides,
    folds: Sequence | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> float | None:
    """The AUROC on new slides that the choice of the highest of K AUROCs leads to.

    labels: N of 0 and 1, both present; scores: K lists of N, higher for positives, of networks that did not
    train on the patch; slides: N names; folds: K lists of N, or None for a single one. With folds, AUROCs are
    means of those within them. Not to be trusted unless the slides are `enough_to_correct`; None with fewer
    than two slides of a class. Raises InputError for fewer than two models.
    """
    if len(scores) < 2:
        raise InputError(f"scores: a choice is among two models or more, not {len(scores)}")
    labels = binary_labels(labels, both=True)
    codes = slide_codes(slides, len(labels))
    if slides_of_the_rarer_class(labels, codes) < 2:
        return None
    if folds is None:
        folds = np.zeros((len(scores), len(labels)), int)
    models = [
        (finite_scores(model, len(labels)), checked_folds(of_model, labels))
        for model, of_model in zip(scores, folds, strict=True)
    ]
    # As bytes, of which a slide is never drawn more often than they hold: 1,000 draws of each patch fit.
    blocks = [times.astype(np.uint8) for times in draw_slides(labels, codes, resamples, seed)]
    drawn = np.concatenate(blocks, axis=1)
    chosen = np.argmax([_within_folds(labels, *model, codes, drawn) for model in models], axis=0)
    judged = [_within_folds(labels, *models[k], codes, drawn[:, chosen == k] == 0) for k in np.unique(chosen)]
    return float(np.nanmean(np.concatenate(judged)))  # NaN where a draw leaves out no slides of a class


def _within_folds(
    labels: np.ndarray, scores: np.ndarray, folds: np.ndarray, slides: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The mean over folds of `weighted_aurocs`, without folds in which a class has no weight: B."""
    parts = (folds == fold for fold in np.unique(folds))
    areas = [weighted_aurocs(labels[own], scores[own], slides[own], weights) for own in parts]
    known = np.isfinite(areas)
    with np.errstate(invalid="ignore"):
        return np.where(known, areas, 0).sum(axis=0) / known.sum(axis=0)


def weighted_aurocs(
    labels: np.ndarray, scores: np.ndarray, slides: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The AUROC under each of B weightings of the slides (B); ties count one half.

    labels: N booleans; scores: N; slides: N codes from 0 to S-1; weights: S×B, not negative. NaN where a
    class has no weight.
    """
    order = np.argsort(scores, kind="stable")
    labels, scores, slides = labels[order], scores[order], slides[order]
    positives, negatives = scores[labels], scores[~labels]
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    areas = np.empty(weights.shape[1])
    size = max(1, BLOCK // len(labels))
    for start in range(0, len(areas), size):
        block = slice(start, start + size)
        of_positives, of_negatives = (weights[:, block][slides[part]] for part in (labels, ~labels))
        under = np.zeros((len(negatives) + 1, of_negatives.shape[1]))
        np.cumsum(of_negatives, axis=0, out=under[1:])
        ordered = np.einsum("ib,ib->b", of_positives, under[below] + under[not_above]) / 2
        with np.errstate(invalid="ignore"):
            areas[block] = ordered / (of_positives.sum(axis=0) * under[-1])
    return areas
