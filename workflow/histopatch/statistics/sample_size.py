"""How many slides an interval of a wanted width takes, and how small a difference a comparison can find."""

from bisect import bisect_left
from math import ceil, sqrt

from scipy.special import nctdtrinc, stdtrit

MOST = 10**9  # slides that are looked at


def slides_for_margin(error: float, slides: int, rarer: int, margin: float, level: float = 0.95) -> int:
    """How many slides like these give an estimate an interval of ± margin, at least.

    error: the standard error from this many slides, of which `rarer` have patches of the rarer class; it
    falls with the square root of their number. The interval has Student's t with rarer - 1 degrees of
    freedom, so there are two slides of the rarer class at least.
    """

    def enough(number: int) -> bool:
        quantile = stdtrit(rarer * number / slides - 1, (1 + level) / 2)
        return quantile * error * sqrt(slides / number) <= margin

    fewest = ceil(2 * slides / rarer)
    return fewest + bisect_left(range(fewest, MOST), True, key=enough)


def detectable_difference(error: float, degrees: float, critical: float, power: float = 0.8) -> float:
    """The true difference that a test finds with this power.

    error: the standard error of the difference; degrees: of freedom of its Student's t; critical: the value
    beyond which it counts as found. The ratio of the two follows the noncentral t distribution.

    Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, section 2.5.
    """
    return float(nctdtrinc(degrees, 1 - power, critical) * error)
