"""The metrics of a binary classifier, in one table, and all of them with the uncertainty of the AUROC.

A metric added to the table is in every table of runs, in metrics.json and in the summary. It can also choose
the final model once the schema lists it as `val_<name>` for `final.metric`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from histopatch.statistics.auroc import delong, jackknife_by_slide, slides_of_the_rarer_class
from histopatch.statistics.calibration import brier_score, expected_calibration_error
from histopatch.statistics.checks import binary_labels, slide_codes, valid_probabilities

EPSILON = np.finfo(float).eps


def area(labels, probabilities) -> float:
    """The AUROC exactly as DeLong's interval is about it; N labels, both present, and N scores."""
    return delong(labels, probabilities).area


def average_precision(labels, probabilities) -> float:
    """The area under the precision-recall curve as a sum of steps; N labels, both present, and N scores."""
    # Imported here: scikit-learn takes a second, and choosing the best run only looks up columns.
    import sklearn.metrics

    return float(sklearn.metrics.average_precision_score(labels, probabilities))


def log_loss(labels, probabilities) -> float:
    """Mean negative log likelihood of N labels, both present; N probabilities, clipped to 2⁻⁵² from 0 and 1.

    The same as scikit-learn's of doubles, which takes several times the memory.
    """
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    likelihood = np.where(labels, probabilities, 1 - probabilities)
    return -float(np.log(likelihood.clip(EPSILON, 1 - EPSILON)).mean())


@dataclass(frozen=True)
class Metric:
    """How well probabilities (N) predict labels (N of 0 and 1): how it is computed and how it is shown."""

    compute: Callable[..., float]  # of labels and probabilities
    label: str  # for readers
    column: str  # in the tables of runs
    higher_is_better: bool
    criterion: bool = True  # whether the final model may be chosen by it


METRICS = {
    "auc": Metric(area, "AUROC", "final_val_auc", higher_is_better=True),
    "average_precision": Metric(
        average_precision, "average precision", "val_average_precision", higher_is_better=True
    ),
    "log_loss": Metric(log_loss, "log loss", "val_log_loss", higher_is_better=False),
    "brier": Metric(brier_score, "Brier score", "val_brier", higher_is_better=False),
    # No criterion: predicting the share of positives for every patch has no calibration error.
    "ece": Metric(
        expected_calibration_error, "calibration error", "val_ece", higher_is_better=False, criterion=False
    ),
}


def summarise(labels, probabilities, slides=None, *, unit: str = "slide", folds=None) -> dict:
    """All METRICS of one set of predictions, as numbers that JSON can hold.

    labels: N of 0 and 1, both present; probabilities: N, of label 1; slides: N names, if known, or those of
    the patients, with `unit` saying so; folds: N, or None for a single one.
    With several folds `auc` is the mean of the AUROCs within them, as each is predicted by another network,
    and `pooled_auc` that over all patches; the other metrics are over all patches.
    `auc_low` and `auc_high` are the 95 % interval of `auc`, and `auc_interval` names its method:
    `slide jackknife` if slides are given, else `DeLong`, which is too narrow if patches share slides. With
    fewer than two slides with positives, or with negatives, the interval is [0, 1] and its method says why.
    DeLong's interval is always included as `auc_delong_low` and `…_high`.
    `slides` is the number of slides, None if unknown.
    """
    labels = binary_labels(labels, both=True)
    probabilities = valid_probabilities(probabilities, len(labels))
    by_patch = delong(labels, probabilities, folds=folds)
    pooled = {} if folds is None or len(set(folds)) == 1 else {"pooled_auc": area(labels, probabilities)}
    count = None if slides is None else int(slide_codes(slides, len(labels)).max()) + 1
    if slides is None:
        method, interval = "DeLong", by_patch
    else:
        interval = jackknife_by_slide(labels, probabilities, slides, folds=folds)
        method = f"{unit} jackknife"
        if slides_of_the_rarer_class(labels, slides) < 2:
            method = f"nothing can be said: fewer than two {unit}s with positives or with negatives"
    return {
        "patches": len(labels),
        "positive": int(np.sum(labels)),
        "slides": count,
        **{name: metric.compute(labels, probabilities) for name, metric in METRICS.items()},
        "auc": by_patch.area,
        **pooled,
        "auc_low": interval.low,
        "auc_high": interval.high,
        "auc_interval": method,
        "auc_delong_low": by_patch.low,
        "auc_delong_high": by_patch.high,
    }
