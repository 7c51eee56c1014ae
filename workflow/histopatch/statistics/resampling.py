"""Areas under ROC curves over draws of slides with replacement: what a bootstrap by slide is made of.

The cluster bootstrap: Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8; for
diagnostic accuracy Rutter, Academic Radiology 2000.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from histopatch.errors import InputError

# Patches times draws that are held at a time: about 30 MB for each array of that size.
BLOCK = 4_000_000


def areas_by_slide(
    labels: np.ndarray, models: list[np.ndarray], slides: np.ndarray, repeats: int, seed: int
) -> np.ndarray:
    """The area of each model on the patches as they are, then in each draw: models×(1 + repeats).

    labels: N booleans; models: the N scores of each; slides: N codes from 0 to S-1. All models see the
    same draws. A draw gives each patch the weight of its slide, so each model is sorted only once: the
    weight of the negatives below a positive is a running sum over the sorted negatives.
    """
    ranked = [_rank(labels, scores, slides) for scores in models]
    given = np.ones((slides.max() + 1, 1))
    draws = itertools.chain([given], draw_slides(labels, slides, repeats, seed))
    return np.concatenate([[_weighted_areas(*model, times) for model in ranked] for times in draws], axis=1)


def draw_slides(labels: np.ndarray, slides: np.ndarray, repeats: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each slide was drawn, S×B at a time, until there are `repeats` columns.

    labels: N booleans; slides: N codes from 0 to S-1. Each column is a draw of S slides with
    replacement, whose patches come with them; a draw in which a class is missing is made again. Raises
    InputError with fewer than two slides, where all draws are the same, or fewer than two repeats.
    """
    count = int(slides.max()) + 1
    if count < 2:
        raise InputError("slides: all patches are of one slide; an interval by slide needs two at least")
    check_repeats(repeats)
    generator = np.random.default_rng(seed)
    positives = np.bincount(slides[labels], minlength=count)
    negatives = np.bincount(slides[~labels], minlength=count)
    block = max(1, BLOCK // len(labels))
    done = 0
    while done < repeats:
        size = min(block, repeats - done)
        drawn = generator.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        times = times[(times @ positives > 0) & (times @ negatives > 0)]
        done += len(times)
        yield np.ascontiguousarray(times.T, dtype=float)


def check_repeats(repeats: int) -> None:
    """Raise InputError with fewer than two draws, which show no spread."""
    if repeats < 2:
        raise InputError(f"repeats: {repeats} is too few; 1,000 is usual")


def _rank(labels: np.ndarray, scores: np.ndarray, slides: np.ndarray) -> tuple[np.ndarray, ...]:
    """Slides of the positives and of the negatives, both by score; for each positive, how many negatives
    are below it, and how many are not above it."""
    order = np.argsort(scores, kind="stable")
    labels, scores, slides = labels[order], scores[order], slides[order]
    positives, negatives = scores[labels], scores[~labels]
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return slides[labels], slides[~labels], below, not_above


def _weighted_areas(positive_slides, negative_slides, below, not_above, times: np.ndarray) -> np.ndarray:
    """Areas (B) when the slides are there S×B times; a tie counts one half."""
    weights = np.zeros((len(negative_slides) + 1, times.shape[1]))
    np.cumsum(times[negative_slides], axis=0, out=weights[1:])
    positives = times[positive_slides]
    ordered = np.einsum("ib,ib->b", positives, weights[below] + weights[not_above]) / 2
    return ordered / (positives.sum(axis=0) * weights[-1])
