"""Proportions of patches: confidence intervals, and predictive values at another prevalence."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from histopatch.errors import InputError


class Proportion(NamedTuple):
    """A proportion with its confidence interval; `value` is None if there were no trials."""

    value: float | None
    low: float
    high: float


def wilson(successes: int, trials: int, level: float = 0.95) -> Proportion:
    """The proportion of successes with Wilson's score interval, for independent trials.

    Without trials the interval is [0, 1]. Raises InputError if there are more successes than trials, or
    fewer than none.

    Wilson, JASA 1927; compared with others in Brown, Cai & DasGupta, Statistical Science 2001.
    """
    if not 0 <= successes <= trials:
        raise InputError(f"successes: {successes} of {trials} trials is impossible")
    if trials == 0:
        return Proportion(None, 0.0, 1.0)
    share, z = successes / trials, NormalDist().inv_cdf((1 + level) / 2)
    shrinkage = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / shrinkage
    margin = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / shrinkage
    # With no successes, or no failures, one bound is exactly 0 or 1, which rounding may miss.
    low = 0.0 if successes == 0 else float(centre - margin)
    high = 1.0 if successes == trials else float(centre + margin)
    return Proportion(share, low, high)


def predictive_values(
    sensitivity: float | None, specificity: float | None, prevalence: float
) -> tuple[float | None, float | None]:
    """PPV and NPV at a prevalence (the share of positive patches), by Bayes' theorem.

    Sensitivity and specificity are assumed to carry over, which holds only if the patches differ in
    nothing but their prevalence. PPV is None if nothing would be called positive, NPV if nothing would be
    called negative, and both if sensitivity or specificity is None. Raises InputError for a prevalence
    outside [0, 1].

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
