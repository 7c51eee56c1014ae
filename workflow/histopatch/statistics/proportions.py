"""Proportions of patches: their interval, and predictive values where positives are rarer or commoner."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from histopatch.errors import InputError


class Proportion(NamedTuple):
    """A share with its confidence interval; the share is None where there is nothing to take it of."""

    value: float | None
    low: float
    high: float


def wilson(successes: int, trials: int, level: float = 0.95) -> Proportion:
    """The share of successes with Wilson's score interval, for independent trials.

    Of no trial it is the whole of [0, 1]. Raises InputError where there are more successes than trials or
    fewer than none.

    Wilson, JASA 1927; compared with others in Brown, Cai & DasGupta, Statistical Science 2001.
    """
    if not 0 <= successes <= trials:
        raise InputError(f"successes: {successes} of {trials} trials is impossible")
    if trials == 0:
        return Proportion(None, 0.0, 1.0)
    share, z = successes / trials, norm.ppf((1 + level) / 2)
    shrunk = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / shrunk
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / shrunk
    # At no success and at no failure a bound is 0 or 1 exactly; rounding may miss it.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == trials else float(centre + half)
    return Proportion(share, low, high)


def predictive_values(
    sensitivity: float | None, specificity: float | None, prevalence: float
) -> tuple[float | None, float | None]:
    """PPV and NPV where a share `prevalence` of the patches is positive, by Bayes' theorem.

    Sensitivity and specificity are taken as they are: they carry over only where patches differ in
    nothing but how many are positive. A value is None where nothing would be called positive (PPV) or
    negative (NPV), both where sensitivity or specificity is None. Raises InputError outside [0, 1].

    Altman & Bland, BMJ 1994 (Diagnostic tests 2: predictive values).
    """
    if not 0 <= prevalence <= 1:
        raise InputError(f"prevalence: {prevalence} is outside [0, 1]")
    if sensitivity is None or specificity is None:
        return None, None
    true_positive, false_negative = sensitivity * prevalence, (1 - sensitivity) * prevalence
    true_negative, false_positive = specificity * (1 - prevalence), (1 - specificity) * (1 - prevalence)
    called_positive, called_negative = true_positive + false_positive, true_negative + false_negative
    return (
        true_positive / called_positive if called_positive > 0 else None,
        true_negative / called_negative if called_negative > 0 else None,
    )
