"""Metrics of a binary classifier from kept predictions, with their uncertainty."""

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.metrics import log_loss


def auroc_interval(labels: np.ndarray, scores: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Area under the ROC curve with its confidence interval by DeLong's variance.

    labels: N of 0 and 1, both present; scores: N, higher for positives; ties count one half. Returns
    the area, the lower and the upper bound, the bounds cut to [0, 1]. The interval takes patches as
    independent; where they share slides it is too narrow.

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988; by ranks as in Sun & Xu, IEEE SPL 2014.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, float)
    positives, negatives = scores[labels == 1], scores[labels == 0]
    m, n = len(positives), len(negatives)
    ranks = rankdata(np.concatenate([positives, negatives]))
    # Share of negatives below each positive, and of positives above each negative.
    per_positive = (ranks[:m] - rankdata(positives)) / n
    per_negative = 1 - (ranks[m:] - rankdata(negatives)) / m
    area = per_positive.mean()
    variance = per_positive.var(ddof=1) / m if m > 1 else np.nan
    variance += per_negative.var(ddof=1) / n if n > 1 else np.nan
    half = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    return float(area), float(max(area - half, 0.0)), float(min(area + half, 1.0))


def summarise(labels: np.ndarray, probabilities: np.ndarray) -> dict:
    """The metrics of one set of predictions (`labels` 0 or 1, `probabilities` of 1, both N)."""
    area, low, high = auroc_interval(labels, probabilities)
    return {
        "patches": len(labels),
        "positive": int(np.sum(labels)),
        "val_auc": area,
        "val_auc_low": low,
        "val_auc_high": high,
        "val_log_loss": float(log_loss(labels, probabilities)),
    }
