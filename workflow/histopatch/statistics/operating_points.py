"""Operating points: thresholds chosen on one set of predictions and evaluated on another.

A patch is called positive if its probability is at least the threshold.
"""

from collections.abc import Sequence

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.proportions import predictive_values, wilson

TARGET = 0.95
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


def at_threshold(labels, probabilities, threshold: float, prevalences: Sequence[float]) -> dict:
    """The confusion matrix at a threshold and its rates, as numbers that JSON can hold.

    labels: N of 0 and 1; probabilities: N. Counts: `true_positives`, `false_positives`, `true_negatives`,
    `false_negatives`. Rates: `sensitivity`, `specificity`, `ppv` and `npv`, each with Wilson's 95 % interval
    for independent patches as `…_low` and `…_high`, and None if its denominator is 0. `at_prevalence`:
    the `ppv` and `npv` to expect at each of `prevalences`. Raises InputError if the threshold is not finite.
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
    rates = {
        "sensitivity": (true_positives, true_positives + false_negatives),
        "specificity": (true_negatives, true_negatives + false_positives),
        "ppv": (true_positives, true_positives + false_positives),
        "npv": (true_negatives, true_negatives + false_negatives),
    }
    for name, counts in rates.items():
        result[name], result[f"{name}_low"], result[f"{name}_high"] = wilson(*counts)
    result["at_prevalence"] = []
    for prevalence in prevalences:
        ppv, npv = predictive_values(result["sensitivity"], result["specificity"], prevalence)
        result["at_prevalence"].append({"prevalence": float(prevalence), "ppv": ppv, "npv": npv})
    return result
