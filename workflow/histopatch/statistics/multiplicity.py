"""Several comparisons at once: p-values that keep the chance of any false alarm at the level."""

import numpy as np

from histopatch.errors import InputError

LEVEL = 0.05  # chance of any false finding among several


def holm(p_values) -> np.ndarray:
    """Adjusted p-values (K) by Holm's step-down method, in the order given.

    p_values: K in [0, 1], of tests that may depend on each other in any way. To reject where the adjusted
    value is at most 0.05 keeps the chance of one false rejection or more at 5 %. The smallest of K is
    multiplied by K, the next by K - 1, …, none falls below one that was smaller before, none exceeds 1.
    Raises InputError for a value outside [0, 1].

    Holm, Scandinavian Journal of Statistics 1979.
    """
    p_values = np.asarray(p_values, float)
    outside = ~((p_values >= 0) & (p_values <= 1))
    if outside.any():
        raise InputError(f"p_values: {p_values[outside][0]} is outside [0, 1]")
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted
