"""AUROCs over slides drawn with replacement: the draws of a cluster bootstrap.

Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8; for diagnostic accuracy
Rutter, Academic Radiology 2000.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from histopatch.errors import InputError

RESAMPLES = 1000  # draws of a bootstrap, unless told otherwise
# Patches times draws that are held at a time: about 30 MB for each array of that size.
BLOCK = 4_000_000


def areas_by_slide(
    labels: np.ndarray, models: list[np.ndarray], slides: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    """The AUROC of each model on the patches as they are, then in each draw: models×(1 + resamples).

    labels: N booleans; models: the N scores of each; slides: N codes from 0 to S-1. All models see the
    same draws. A draw weights each patch by how often its slide was drawn, so each model is sorted only
    once: the weight of the negatives below a positive is a cumulative sum over the sorted negatives.
    """
    ranked = [_rank(labels, scores, slides) for scores in models]
    original = np.ones((slides.max() + 1, 1))
    draws = itertools.chain([original], draw_slides(labels, slides, resamples, seed))
    return np.concatenate([[_weighted_areas(*model, times) for model in ranked] for times in draws], axis=1)


def draw_slides(labels: np.ndarray, slides: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each slide was drawn, in blocks of S×B, `resamples` columns in all.

    labels: N booleans; slides: N codes from 0 to S-1. Each column is a draw of S slides with
    replacement, with all their patches; a draw without patches of both classes is discarded and drawn
    again. Raises InputError for a single slide, with which all draws are the same, or fewer than two
    resamples.
    """
    count = int(slides.max()) + 1
    if count < 2:
        raise InputError("slides: all patches are from one slide; an interval by slide needs at least two")
    check_resamples(resamples)
    generator = np.random.default_rng(seed)
    positives = np.bincount(slides[labels], minlength=count)
    negatives = np.bincount(slides[~labels], minlength=count)
    block = max(1, BLOCK // len(labels))
    done = 0
    while done < resamples:
        size = min(block, resamples - done)
        drawn = generator.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        times = times[(times @ positives > 0) & (times @ negatives > 0)]
        done += len(times)
        yield np.ascontiguousarray(times.T, dtype=float)


def check_resamples(resamples: int) -> None:
    """Raise InputError for fewer than two draws, which have no spread."""
    if resamples < 2:
        raise InputError(f"resamples: {resamples} is too few; 1,000 is usual")


def _rank(labels: np.ndarray, scores: np.ndarray, slides: np.ndarray) -> tuple[np.ndarray, ...]:
    """Slides of the positives and of the negatives, both sorted by score; for each positive, how many
    negatives are below it, and how many are not above it."""
    order = np.argsort(scores, kind="stable")
    labels, scores, slides = labels[order], scores[order], slides[order]
    positives, negatives = scores[labels], scores[~labels]
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return slides[labels], slides[~labels], below, not_above


def _weighted_areas(positive_slides, negative_slides, below, not_above, times: np.ndarray) -> np.ndarray:
    """AUROCs (B) where slides are weighted by times (S×B); ties count one half."""
    weights = np.zeros((len(negative_slides) + 1, times.shape[1]))
    np.cumsum(times[negative_slides], axis=0, out=weights[1:])
    positives = times[positive_slides]
    ordered = np.einsum("ib,ib->b", positives, weights[below] + weights[not_above]) / 2
    return ordered / (positives.sum(axis=0) * weights[-1])
