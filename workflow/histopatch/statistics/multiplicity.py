"""Multiple comparisons: p-values that keep the chance of any false positive at the significance level."""

import numpy as np

from histopatch.errors import InputError

ALPHA = 0.05  # family-wise error rate


def holm(p_values) -> np.ndarray:
    """Adjust K p-values by Holm's step-down method; the order is kept.

    p_values: K in [0, 1], of tests with any dependence. Rejecting where the adjusted value is at most
    0.05 keeps the family-wise error rate at 5 %. The smallest p-value is multiplied by K, the next by
    K - 1, and so on; adjusted values never decrease from one to the next and never exceed 1. Raises
    InputError for a value outside [0, 1].

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
