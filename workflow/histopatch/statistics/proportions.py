"""Proportions of patches: confidence intervals, and predictive values at another prevalence."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.checks import slide_codes
from histopatch.statistics.jackknife import spread


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


def korn_graubard(successes, trials, slides, level: float = 0.95) -> Proportion:
    """The proportion of successes among trials, with an interval for independent slides.

    successes, trials: N booleans, of which successes count within trials only; slides: N names. The variance
    V by slide jackknife makes n trials count as n_eff = min(n, p (1 - p) / V), times (z / t)² for the few
    slides that V is from, with Kish's effective number of slides minus one as degrees of freedom; then
    Clopper–Pearson's interval for that many trials. With trials on fewer than two slides it is [0, 1].

    Korn & Graubard, Survey Methodology 1998.
    """
    trials = np.asarray(trials, bool)
    successes = np.asarray(successes, bool)[trials]
    codes = slide_codes(slides, len(trials))[trials]
    if len(codes) == 0:
        return Proportion(None, 0.0, 1.0)
    share, count = float(successes.mean()), len(codes)
    of_slide = np.bincount(codes)
    seen = of_slide > 0
    size, hits = of_slide[seen], np.bincount(codes, successes)[seen]
    degrees = effective_number(size) - 1
    if len(size) < 2 or degrees <= 0:
        return Proportion(share, 0.0, 1.0)
    left_out = (hits.sum() - hits) / (count - size)
    low, high = bounds_from_variance(share, count, (spread(left_out) ** 2).sum(), degrees, level)
    return Proportion(share, float(low), float(high))


def effective_number(sizes: np.ndarray) -> float:
    """Kish's effective number of units: how many of equal size would tell as much; sizes: patches of each.

    Kish, Survey Sampling, 1965.
    """
    return float(sizes.sum() ** 2 / (sizes.astype(float) ** 2).sum())


def bounds_from_variance(shares, count: int, variances, degrees: float, level: float = 0.95):
    """The bounds of P shares of `count` trials, from their variances over slides: two arrays of P.

    degrees: of freedom of the variances. As in `korn_graubard`; a share without any failure, or success,
    whose variance is not 0 counts as one with half of a trial of these.
    """
    # Imported here: figures load this module for the names of the operating points only.
    from scipy.special import betaincinv, stdtrit

    shares, variances = np.asarray(shares, float), np.asarray(variances, float)
    inside = np.clip(shares, 1 / (2 * count), 1 - 1 / (2 * count))
    with np.errstate(divide="ignore"):
        effective = np.minimum(count, inside * (1 - inside) / variances)
    tail = (1 - level) / 2
    effective = effective * (NormalDist().inv_cdf(tail) / stdtrit(degrees, tail)) ** 2
    hits, misses = shares * effective, (1 - shares) * effective
    low = np.where(shares > 0, betaincinv(hits, misses + 1, tail), 0.0)
    high = np.where(shares < 1, betaincinv(hits + 1, misses, 1 - tail), 1.0)
    return np.minimum(low, shares), np.maximum(high, shares)


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


def predictive_bounds(
    sensitivity: Proportion, specificity: Proportion, prevalence: float
) -> tuple[Proportion, Proportion]:
    """`predictive_values` with the bounds that sensitivity and specificity leave them.

    Both rise with both, so their bounds are those at the lower and at the upper bounds: at least as wide as
    an interval of the level of the two. Where a bound leaves nothing to be called, it is 0 or 1.
    """
    values = predictive_values(sensitivity.value, specificity.value, prevalence)
    lows = predictive_values(sensitivity.low, specificity.low, prevalence)
    highs = predictive_values(sensitivity.high, specificity.high, prevalence)
    ppv, npv = (
        Proportion(value, 0.0 if low is None else low, 1.0 if high is None else high)
        for value, low, high in zip(values, lows, highs, strict=True)
    )
    return ppv, npv
