"""What figures call an operating point: its aim, and its threshold with as many digits as it needs."""

import math

from histopatch.statistics.operating_points import CRITERIA


def label(point, separator: str = " ") -> str:
    """Name an operating point, a row of the table `point,threshold,…`."""
    return f"{CRITERIA[point.point]}{separator}(threshold {threshold(point.threshold)})"


def threshold(value: float) -> str:
    """Write a threshold with enough digits to tell it from 0 and 1."""
    nearest = min(value, 1 - value)
    if nearest <= 0:
        return f"{value:g}"
    return f"{value:.{max(2, math.ceil(-math.log10(nearest)) + 1)}f}"
