"""AUROCs with one slide left out at a time, and their covariance over slides.

Arvesen, Annals of Mathematical Statistics 1969 (the jackknife of U-statistics); Efron & Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 11.
"""

import numpy as np

from histopatch.statistics.area import count_below


def leave_one_out(labels: np.ndarray, scores: np.ndarray, slides: np.ndarray) -> tuple[float, np.ndarray]:
    """The AUROC of all N patches, and those without each of S slides (S); ties count one half.

    labels: N booleans; slides: N codes from 0 to S-1. Without a slide that has all patches of a class it is
    NaN. What a slide takes away are the pairs of its positives with all negatives and of its negatives with
    all positives, less the pairs within it, which both contain: no slide needs sorting again.
    """
    ranks = np.unique(scores, return_inverse=True)[1]
    count, distinct = int(slides.max()) + 1, int(ranks.max()) + 1
    positive, negative = ranks[labels], ranks[~labels]
    del ranks  # makes room for the sorted copies
    of_positive, of_negative = slides[labels], slides[~labels]
    positives, negatives = (np.bincount(of, minlength=count) for of in (of_positive, of_negative))
    # By slide: pairs in the right order, of its positives and of its negatives. Sums of halves are exact.
    by_positives = np.bincount(of_positive, count_below(positive, negative), count)
    by_negatives = np.bincount(of_negative, len(positive) - count_below(negative, positive), count)
    # A key that sorts by slide, then by rank, counts the negatives below within the same slide.
    before = np.concatenate([[0], np.cumsum(negatives)])[of_positive]
    keys = of_positive * distinct + positive, of_negative * distinct + negative
    within = np.bincount(of_positive, count_below(*keys) - before, count)
    ordered = by_positives.sum()
    left = ordered - by_positives - by_negatives + within
    left_positives, left_negatives = len(positive) - positives, len(negative) - negatives
    return float(ordered / len(positive) / len(negative)), left / left_positives / left_negatives


def leave_one_out_within_folds(
    labels: np.ndarray, scores: np.ndarray, slides: np.ndarray, folds: np.ndarray
) -> tuple[float, np.ndarray]:
    """The mean over folds of the AUROC within the fold, and that without each of S slides (S).

    labels, scores, slides: as in `leave_one_out`; folds: N numbers, each with both classes. A fold that is
    left without patches of a class does not count; NaN where none is left.
    """
    numbers, count = np.unique(folds), int(slides.max()) + 1
    whole = np.empty(len(numbers))
    left_out = np.empty((len(numbers), count))
    for row, number in enumerate(numbers):
        own = folds == number
        here, codes = np.unique(slides[own], return_inverse=True)
        with np.errstate(invalid="ignore"):
            whole[row], without = leave_one_out(labels[own], scores[own], codes)
        left_out[row] = whole[row]
        left_out[row, here] = without
    counts = np.isfinite(left_out)
    with np.errstate(invalid="ignore"):
        return float(whole.mean()), np.where(counts, left_out, 0).sum(axis=0) / counts.sum(axis=0)


def spread(leftout: np.ndarray) -> np.ndarray:
    """S columns whose products add up to the jackknife's covariance, from K×S values without each slide."""
    count = leftout.shape[-1]
    return np.sqrt((count - 1) / count) * (leftout - leftout.mean(axis=-1, keepdims=True))
