"""Several estimates at once: intervals and p-values that hold for all of them together."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

ALPHA = 0.05  # family-wise error rate
DRAWS = 19_999  # with the observed one 20,000, so that a share of 5 % is a whole number
# Draws times estimates that are held at a time: about 30 MB.
BLOCK = 4_000_000


class Simultaneous(NamedTuple):
    """The critical value of F estimates over their standard errors, and their adjusted p-values (F)."""

    critical: float
    p_values: np.ndarray


def max_t(ratios: np.ndarray, root: np.ndarray, degrees: float, level: float = 0.95) -> Simultaneous:
    """Critical value and p-values of the maximum of |t| over F estimates, for any dependence.

    ratios: F estimates over their standard errors; root: F×K, where root @ root.T is their correlation
    matrix; degrees: of freedom of Student's t. A p-value is the chance that the greatest of all F would be
    at least as far from 0; it is at most 1 - level exactly where the ratio is beyond the critical value.
    One estimate, also with its mirror image, is exact; several are simulated from the multivariate t
    distribution, always with the same draws.

    Hothorn, Bretz & Westfall, Biometrical Journal 2008.
    """
    ratios = np.abs(ratios)
    if len(ratios) == 0 or np.allclose(np.abs(root @ root[0]), 1):  # the same estimate, or its mirror
        return Simultaneous(float(stdtrit(degrees, (1 + level) / 2)), 2 * stdtr(degrees, -ratios))
    generator = np.random.default_rng(0)
    normal = generator.normal(size=(DRAWS, root.shape[1]))
    scale = np.sqrt(generator.chisquare(degrees, DRAWS) / degrees)
    block = max(1, BLOCK // len(root))
    greatest = np.concatenate(
        [np.abs(normal[i : i + block] @ root.T).max(axis=1) for i in range(0, DRAWS, block)]
    )
    greatest = np.sort(greatest / scale)
    beyond = DRAWS - np.searchsorted(greatest, ratios, side="left")
    rank = int(np.floor((1 - level) * (DRAWS + 1) + 1e-9))  # of the critical value, from the greatest
    return Simultaneous(float(greatest[-max(rank, 1)]), (1 + beyond) / (DRAWS + 1))
