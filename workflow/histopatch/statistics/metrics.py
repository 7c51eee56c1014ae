"""All metrics of a binary classifier from kept predictions, with their uncertainty."""

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from histopatch.statistics.auroc import bootstrap_by_slide, delong
from histopatch.statistics.calibration import brier_score, expected_calibration_error
from histopatch.statistics.checks import binary_labels, probabilities_of_one, slide_codes

REPEATS = 1000


def summarise(labels, probabilities, slides=None, *, repeats: int = REPEATS, seed: int = 0) -> dict:
    """The metrics of one set of predictions, as numbers that JSON can hold.

    labels: N of 0 and 1, both present; probabilities: N, of 1; slides: N names, where they are known.
    `auc_low` and `auc_high` are the 95 % interval of `auc`, and `auc_interval` says which:
    `slide bootstrap` where patches of two slides or more are given, else `DeLong`, which is too narrow
    where patches share slides. DeLong's is always there as `auc_delong_low` and `…_high`. `slides` is
    the number of slides, None where they are not known. `repeats` and `seed` are the bootstrap's.
    """
    labels = binary_labels(labels, both=True)
    probabilities = probabilities_of_one(probabilities, len(labels))
    by_patch = delong(labels, probabilities)
    count = None if slides is None else int(slide_codes(slides, len(labels)).max()) + 1
    if count is None or count < 2:
        name, interval = "DeLong", by_patch
    else:
        name = "slide bootstrap"
        interval = bootstrap_by_slide(labels, probabilities, slides, repeats=repeats, seed=seed)
    return {
        "patches": len(labels),
        "positive": int(np.sum(labels)),
        "slides": count,
        "auc": by_patch.area,
        "auc_low": interval.low,
        "auc_high": interval.high,
        "auc_interval": name,
        "auc_delong_low": by_patch.low,
        "auc_delong_high": by_patch.high,
        "average_precision": float(average_precision_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "brier": brier_score(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
    }


def fold_aurocs(labels: np.ndarray, probabilities: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """The AUROC of each fold, the lowest number first; N of each, both classes in each fold."""
    return np.array(
        [roc_auc_score(labels[folds == fold], probabilities[folds == fold]) for fold in np.unique(folds)]
    )
