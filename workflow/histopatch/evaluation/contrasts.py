"""Contrasts of runs that were validated on the same patches: differences, and effects of settings."""

import numpy as np

from histopatch.evaluation.predictions import Predictions
from histopatch.statistics.auroc import Difference, contrasts_by_slide, delong_contrasts


def paired_contrasts(runs: list[Predictions], weights: np.ndarray) -> list[Difference | None]:
    """Contrasts Σ w_k AUROC_k of K runs, tested together; weights: C×K, rows add up to 0.

    With folds an AUROC is the mean of those within them. By slide or patient if these are known, else with
    DeLong's covariance. Intervals and p-values hold for all contrasts of runs that share their patches, by
    the maximum of |t|. Runs that were validated on different patches cannot be paired: a contrast of such
    runs is None.
    """
    first_with_same_patches = [
        next(k for k, other in enumerate(runs) if np.array_equal(run.places, other.places)) for run in runs
    ]
    contrasts: list[Difference | None] = [None] * len(weights)
    for first in dict.fromkeys(first_with_same_patches):
        pairable = np.flatnonzero(np.equal(first_with_same_patches, first))
        others = np.setdiff1d(range(len(runs)), pairable)
        rows = [row for row, contrast in enumerate(weights) if not contrast[others].any()]
        if rows and len(pairable) > 1:
            tests = _tests([runs[k] for k in pairable], weights[np.ix_(rows, pairable)])
            for row, test in zip(rows, tests, strict=True):
                contrasts[row] = test
    return contrasts


def _tests(runs: list[Predictions], weights: np.ndarray) -> list[Difference]:
    labels, units = runs[0].labels, runs[0].units
    scores, folds = [run.probabilities for run in runs], [run.folds for run in runs]
    if units is None:
        return delong_contrasts(labels, scores, weights, folds=folds)
    return contrasts_by_slide(labels, scores, weights, units, folds=folds)
