"""The jackknife by slide: how an estimate varies when one slide after the other is left out.

Slides are taken to be independent, patches of a slide are not. Where no slides are known, each patch is a
unit of its own.

Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.
"""

import numpy as np
from scipy.special import stdtrit

from histopatch.statistics.checks import slide_codes
from histopatch.statistics.jackknife import spread
from histopatch.statistics.proportions import effective_number


def unit_codes(slides, count: int) -> np.ndarray:
    """The unit of each of `count` patches as a number from 0: its slide, or itself where slides are None."""
    return np.arange(count) if slides is None else slide_codes(slides, count)


def degrees_of_freedom(labels: np.ndarray, units: np.ndarray) -> float:
    """What the spread is known from: the effective number of units, less one.

    No more than the units with patches of the rarer class. labels: N booleans, both present; units: N codes.
    0 where nothing is known of it.
    """
    fewest = min(len(np.unique(units[part])) for part in (labels, ~labels))
    return min(fewest, effective_number(np.bincount(units))) - 1


def margin(left_out: np.ndarray, degrees: float, level: float = 0.95) -> np.ndarray:
    """Half the width of the interval of an estimate, by Student's t; infinite without degrees of freedom.

    left_out: the estimate without each of S units in turn, S or S×K for K estimates.
    """
    if degrees <= 0 or not np.isfinite(left_out).all():
        return np.full(left_out.shape[1:], np.inf)
    error = np.sqrt((spread(left_out.T) ** 2).sum(axis=-1))
    return stdtrit(degrees, (1 + level) / 2) * error
