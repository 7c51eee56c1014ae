"""Ties: the runs of a study that the validation patches cannot distinguish from its best run."""

from itertools import combinations

import numpy as np
import pandas as pd

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Predictions
from histopatch.statistics.multiplicity import ALPHA


def compare_with_best(runs: dict[str, Predictions], aurocs: dict[str, float]) -> pd.DataFrame:
    """One row per run, in the same order: `difference_to_best`, `p_value` and `tied_with_best`.

    runs and aurocs: by the name of the run. The test is paired, by slide if slides are known and DeLong's
    otherwise. The data choose the best run, so each test is one of all pairs of runs: p-values are adjusted
    for every pair. Runs that were validated on other patches than the best run cannot be paired with it, and
    where slides are too few nothing is tested: they have neither a p-value nor a verdict.
    """
    names = [*runs]
    best = max(aurocs, key=aurocs.__getitem__)
    pairs = [*combinations(names, 2)]
    weights = np.array([np.equal(names, a) - np.equal(names, b).astype(float) for a, b in pairs])
    tests = dict(zip(map(frozenset, pairs), paired_contrasts([*runs.values()], weights), strict=True))
    rows = []
    for name in names:
        test = tests.get(frozenset([name, best]))
        p_value = None if test is None or np.isnan(test.p_value) else test.p_value
        tied = True if name == best else None if p_value is None else p_value > ALPHA
        rows.append((aurocs[name] - aurocs[best], p_value, tied))
    table = pd.DataFrame(rows, columns=["difference_to_best", "p_value", "tied_with_best"])
    return table.astype({"p_value": float})
