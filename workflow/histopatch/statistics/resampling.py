"""Slides drawn with replacement: the draws of a cluster bootstrap.

Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8; for diagnostic accuracy
Rutter, Academic Radiology 2000.
"""

from collections.abc import Iterator

import numpy as np

from histopatch.errors import InputError

RESAMPLES = 1000  # draws of a bootstrap, unless told otherwise
# Patches times draws that are held at a time: about 30 MB for each array of that size.
BLOCK = 4_000_000


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
