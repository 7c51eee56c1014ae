"""Selective prediction: how much better is the model if it may leave the doubtful patches to a pathologist?

A patch is called positive from a probability of 0.5 on; the confidence of the call is how far the
probability is from 0.5, between 0 and 0.5. The model abstains where its confidence is below a threshold.

El-Yaniv & Wiener, JMLR 2010; Geifman & El-Yaniv, NeurIPS 2017.
"""

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.statistics.checks import binary_labels, valid_probabilities
from histopatch.statistics.proportions import korn_graubard, wilson

SHARES = (0.05, 0.1, 0.2, 0.3)  # of the patches, on which the model abstains


def confidence(probabilities, call: float = 0.5) -> np.ndarray:
    """How far each of N probabilities is from the one from which on a patch is called positive."""
    return np.abs(valid_probabilities(probabilities, len(probabilities)) - call)


def risk_coverage(labels, probabilities, points: int = 400) -> pd.DataFrame:
    """The share of wrong calls among the most confident patches, for growing shares of the patches.

    labels: N of 0 and 1; probabilities: N. Columns: `coverage` (the share that is called), `error` (the share
    of wrong calls among them) and `confidence` (the lowest of them), at most `points` rows by increasing
    coverage, to 1. Patches of the same confidence are called together.
    """
    labels, sure = binary_labels(labels), confidence(probabilities)
    wrong = (np.asarray(probabilities, float) >= 0.5) != labels
    order = np.argsort(-sure, kind="stable")
    sure, errors = sure[order], np.cumsum(wrong[order])
    last = np.append(np.flatnonzero(np.diff(sure)), len(sure) - 1)  # of each run of equal confidence
    shown = last[np.unique(np.linspace(0, len(last) - 1, points).round().astype(int))]
    columns = {"coverage": (shown + 1) / len(sure), "error": errors[shown] / (shown + 1)}
    return pd.DataFrame(columns | {"confidence": sure[shown]})


def choose_confidences(probabilities, shares=SHARES, call: float = 0.5) -> dict[float, float]:
    """The confidence below which the model abstains on each share of these patches, or just less.

    probabilities: N; call: as in `confidence`. Raises InputError for a share outside [0, 1).
    """
    sure = np.sort(confidence(probabilities, call))
    for share in shares:
        if not 0 <= share < 1:
            raise InputError(f"shares: {share} is not in [0, 1)")
    return {share: float(sure[int(share * len(sure))]) for share in shares}


def at_confidence(labels, probabilities, threshold: float, slides=None) -> dict:
    """What abstaining below a confidence achieves, as numbers that JSON can hold.

    labels: N of 0 and 1; probabilities: N; slides: N names, or None where each patch is taken to be
    independent. `abstained` and `called` count patches, `abstained_share` is of all. `error` is the share of
    wrong calls among those that are called, with its 95 % interval as `error_low` and `error_high`, and
    `error_abstained` what it would be among the others; either is None if there are none. `error_all` is that
    of calling every patch.
    """
    labels, sure = binary_labels(labels), confidence(probabilities)
    wrong = (np.asarray(probabilities, float) >= 0.5) != labels
    called = sure >= threshold
    if slides is None:
        error, low, high = wilson(int(wrong[called].sum()), int(called.sum()))
    else:
        error, low, high = korn_graubard(wrong, called, slides)
    return {
        "confidence": threshold,
        "called": int(called.sum()),
        "abstained": int((~called).sum()),
        "abstained_share": float((~called).mean()),
        "error": error,
        "error_low": low,
        "error_high": high,
        "error_abstained": None if called.all() else float(wrong[~called].mean()),
        "error_all": float(wrong.mean()),
    }
