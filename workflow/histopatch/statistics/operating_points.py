"""Operating points: a threshold is chosen on one set of predictions and judged on another.

A patch is called positive where its probability is the threshold or more.
"""

from collections.abc import Sequence

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, probabilities_of_one
from histopatch.statistics.proportions import predictive_values, wilson

TARGET = 0.95


def choose_thresholds(labels, probabilities) -> dict[str, float]:
    """Thresholds by what they reach on these predictions: `sensitivity_95`, `specificity_95`, `youden`.

    labels: N of 0 and 1, both present; probabilities: N. `sensitivity_95` is the highest threshold with a
    sensitivity of 95 % or more, `specificity_95` the lowest with such a specificity, `youden` the one
    with the greatest sum of both, of equals the one with the higher sensitivity. Each is a probability
    that is there, or the next number above all of them where nothing may be called positive.

    Youden, Cancer 1950.
    """
    labels = binary_labels(labels, both=True)
    probabilities = probabilities_of_one(probabilities, len(labels))
    # From the highest threshold, which calls nothing positive, down to the lowest, which calls all so.
    values, place = np.unique(-probabilities, return_inverse=True)
    thresholds = np.concatenate([[np.nextafter(-values[0], np.inf)], -values])
    true = np.concatenate([[0], np.cumsum(np.bincount(place[labels], minlength=len(values)))])
    false = np.concatenate([[0], np.cumsum(np.bincount(place[~labels], minlength=len(values)))])
    positive, negative = true[-1], false[-1]
    youden = true * negative - false * positive  # whole numbers, so that equals are equal
    chosen = {
        "sensitivity_95": np.flatnonzero(true / positive >= TARGET)[0],
        "specificity_95": np.flatnonzero((negative - false) / negative >= TARGET)[-1],
        "youden": np.flatnonzero(youden == youden.max())[-1],
    }
    return {name: float(thresholds[index]) for name, index in chosen.items()}


def at_threshold(labels, probabilities, threshold: float, prevalences: Sequence[float]) -> dict:
    """What a threshold does to these predictions, as numbers that JSON can hold.

    labels: N of 0 and 1; probabilities: N. Counts: `true_positives`, `false_positives`, `true_negatives`,
    `false_negatives`. `sensitivity`, `specificity`, `ppv` and `npv`, each with Wilson's 95 % interval for
    independent patches as `…_low` and `…_high`, and None where there is nothing to take the share of.
    `at_prevalence`: for each of `prevalences`, the `ppv` and `npv` to expect there.
    """
    labels = binary_labels(labels)
    called = probabilities_of_one(probabilities, len(labels)) >= threshold
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
    shares = {
        "sensitivity": (true_positives, true_positives + false_negatives),
        "specificity": (true_negatives, true_negatives + false_positives),
        "ppv": (true_positives, true_positives + false_positives),
        "npv": (true_negatives, true_negatives + false_negatives),
    }
    for name, counts in shares.items():
        result[name], result[f"{name}_low"], result[f"{name}_high"] = wilson(*counts)
    result["at_prevalence"] = []
    for prevalence in prevalences:
        ppv, npv = predictive_values(result["sensitivity"], result["specificity"], prevalence)
        result["at_prevalence"].append({"prevalence": float(prevalence), "ppv": ppv, "npv": npv})
    return result
