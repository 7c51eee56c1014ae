"""The area under the ROC curve by itself, which needs nothing but numpy."""

import numpy as np


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The area for N labels of 0 and 1 and N scores, higher for positives; ties count one half.

    The same bits as scikit-learn's `roc_auc_score`, whose import takes longer than a short epoch. NaN where
    a class is missing.
    """
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], labels[order] == 1
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # of each run of equal scores
    true = np.cumsum(positive, dtype=np.float64)[last]
    false = 1 + last - true
    if true[-1] == 0 or false[-1] == 0:
        return float("nan")
    # Points inside a straight piece of the curve change nothing but the rounding; scikit-learn drops them.
    bends = (np.diff(true, 2) != 0) | (np.diff(false, 2) != 0)
    kept = np.concatenate([[True], bends, [True]])[-len(true) :]
    true, false = np.append(0, true[kept]), np.append(0, false[kept])
    return float(np.trapezoid(true / true[-1], false / false[-1]))


def count_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How many of the others are below each value; ties count one half."""
    others = np.sort(others)
    return (np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")) / 2
