"""Ties: the runs of a study that the validation patches cannot distinguish from its best run."""

import numpy as np
import pandas as pd

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Predictions
from histopatch.statistics.multiplicity import ALPHA, holm


def compare_with_best(runs: dict[str, Predictions], aurocs: dict[str, float]) -> pd.DataFrame:
    """One row per run, in the same order: `difference_to_best`, `p_value` and `tied_with_best`.

    runs and aurocs: by the name of the run. The test is paired, by slide if slides are known and DeLong's
    otherwise; p-values are adjusted by Holm over the study. Runs that were validated on other patches than
    the best run cannot be paired with it and have neither a p-value nor a verdict.
    """
    names = [*runs]
    best = max(aurocs, key=aurocs.__getitem__)
    others = [name for name in names if name != best]
    weights = np.array([np.equal(names, name) - np.equal(names, best).astype(float) for name in others])
    tests = zip(others, paired_contrasts([*runs.values()], weights), strict=True)
    p_values = {name: test.p_value for name, test in tests if test is not None}
    adjusted = dict(zip(p_values, holm([*p_values.values()]), strict=True))
    rows = []
    for name in names:
        p_value = adjusted.get(name)
        tied = True if name == best else None if p_value is None else p_value > ALPHA
        rows.append((aurocs[name] - aurocs[best], p_value, tied))
    table = pd.DataFrame(rows, columns=["difference_to_best", "p_value", "tied_with_best"])
    return table.astype({"p_value": float})
