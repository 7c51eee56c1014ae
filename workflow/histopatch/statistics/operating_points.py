"""Operating points: thresholds chosen on one set of predictions and evaluated on another.

A patch is called positive if its probability is at least the threshold.
"""

from collections.abc import Sequence

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.proportions import Proportion, korn_graubard, predictive_bounds, wilson

TARGET = 0.95
BALANCED = "youden"  # the point that weighs sensitivity and specificity alike
# What each threshold is chosen for, as readers see it.
CRITERIA = {
    "sensitivity_95": "95 % sensitivity",
    "specificity_95": "95 % specificity",
    "youden": "Youden's J",
}


def choose_thresholds(labels, probabilities) -> dict[str, float]:
    """One threshold for each of CRITERIA, by what it achieves on these predictions.

    labels: N of 0 and 1, both present; probabilities: N. `sensitivity_95` is the highest threshold with a
    sensitivity of at least 95 %, `specificity_95` the lowest one with a specificity of at least 95 %, and
    `youden` the one with the greatest sum of both; ties go to the higher sensitivity. Each is one of the
    probabilities, or the next number above all of them if no patch may be called positive.

    Youden, Cancer 1950.
    """
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    # From the highest threshold, which calls no patch positive, to the lowest, which calls all of them.
    values, rank = np.unique(-probabilities, return_inverse=True)
    thresholds = np.concatenate([[np.nextafter(-values[0], np.inf)], -values])
    true = np.concatenate([[0], np.cumsum(np.bincount(rank[labels], minlength=len(values)))])
    false = np.concatenate([[0], np.cumsum(np.bincount(rank[~labels], minlength=len(values)))])
    positive, negative = true[-1], false[-1]
    youden = true * negative - false * positive  # integers, so that ties are exact
    chosen = {
        "sensitivity_95": np.flatnonzero(true / positive >= TARGET)[0],
        "specificity_95": np.flatnonzero((negative - false) / negative >= TARGET)[-1],
        "youden": np.flatnonzero(youden == youden.max())[-1],
    }
    return {name: float(thresholds[index]) for name, index in chosen.items()}


def at_threshold(labels, probabilities, threshold: float, prevalences: Sequence[float], slides=None) -> dict:
    """The confusion matrix at a threshold and its rates, as numbers that JSON can hold.

    labels: N of 0 and 1; probabilities: N; slides: N names, if known. Counts: `true_positives`,
    `false_positives`, `true_negatives`, `false_negatives`. Rates: `sensitivity`, `specificity`, `ppv` and
    `npv`, None if the denominator is 0, each with its 95 % interval as `…_low` and `…_high`: by slide (Korn &
    Graubard) where slides are known, else Wilson's for independent patches. `at_prevalence`: the `ppv` and
    `npv` to expect at each of `prevalences`, with the bounds that those of sensitivity and specificity leave.
    Raises InputError if the threshold is not finite.
    """
    labels = binary_labels(labels)
    called = valid_probabilities(probabilities, len(labels)) >= threshold
    if not np.isfinite(threshold):
        raise InputError(f"threshold: {threshold} is not a finite number")
    true_positives, false_positives = int(np.sum(called & labels)), int(np.sum(called & ~labels))
    true_negatives, false_negatives = int(np.sum(~called & ~labels)), int(np.sum(~called & labels))
    result = {
        "threshold": float(threshold),
        "true_positives": true_positives,
        "false_positives": false_positives,
        "true_negatives": true_negatives,
        "false_negatives": false_negatives,
    }
    parts = {
        "sensitivity": (called & labels, labels),
        "specificity": (~called & ~labels, ~labels),
        "ppv": (called & labels, called),
        "npv": (~called & ~labels, ~called),
    }
    rates = {
        name: wilson(int(hits.sum()), int(trials.sum()))
        if slides is None
        else korn_graubard(hits, trials, slides)
        for name, (hits, trials) in parts.items()
    }
    for name, rate in rates.items():
        result |= _bounded(name, rate)
    result["at_prevalence"] = []
    for prevalence in prevalences:
        ppv, npv = predictive_bounds(rates["sensitivity"], rates["specificity"], prevalence)
        values = _bounded("ppv", ppv) | _bounded("npv", npv)
        result["at_prevalence"].append({"prevalence": float(prevalence)} | values)
    return result


def _bounded(name: str, rate: Proportion) -> dict:
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
