"""Contrasts of runs, as the difference of two or the effect of a setting, where they can be paired."""

import numpy as np

from histopatch.evaluation.predictions import Kept
from histopatch.statistics.auroc import Difference, bootstrap_contrasts_by_slide, delong_contrasts
from histopatch.statistics.metrics import REPEATS


def paired_contrasts(runs: list[Kept], weights: np.ndarray) -> list[Difference | None]:
    """The contrasts Σ w_k area_k of K runs, each with its test; weights: C×K, each row with the sum 0.

    By slide where slides are known, else DeLong's. Runs of which some validate on other patches than others
    cannot be paired: the contrast is None.
    """
    first_with = [
        next(k for k, other in enumerate(runs) if np.array_equal(run.ids, other.ids)) for run in runs
    ]
    found: list[Difference | None] = [None] * len(weights)
    for first in dict.fromkeys(first_with):
        members = np.flatnonzero(np.equal(first_with, first))
        elsewhere = np.setdiff1d(range(len(runs)), members)
        asked = [row for row, contrast in enumerate(weights) if not contrast[elsewhere].any()]
        if asked and len(members) > 1:
            tests = _tests([runs[k] for k in members], weights[np.ix_(asked, members)])
            for row, test in zip(asked, tests, strict=True):
                found[row] = test
    return found


def _tests(runs: list[Kept], weights: np.ndarray) -> list[Difference]:
    labels, slides, scores = runs[0].labels, runs[0].several_slides, [run.probabilities for run in runs]
    if slides is None:
        return delong_contrasts(labels, scores, weights)
    return bootstrap_contrasts_by_slide(labels, scores, weights, slides, repeats=REPEATS, seed=0)
