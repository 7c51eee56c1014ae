"""Which runs of a study are as good as its best, as far as the validation patches can tell."""

import numpy as np
import pandas as pd

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Kept
from histopatch.statistics.multiplicity import LEVEL, holm


def compare_with_best(runs: dict[str, Kept], aurocs: dict[str, float]) -> pd.DataFrame:
    """A row a run, in their order: `difference_to_best`, `p_value` and `tied_with_best`.

    The test is paired, by slide where slides are known and DeLong's elsewhere, and its p-values are
    adjusted by Holm over the study. Runs that validate on other patches than the best one cannot be
    paired with it and have no p-value and no verdict.
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
        tied = True if name == best else None if p_value is None else p_value > LEVEL
        rows.append((aurocs[name] - aurocs[best], p_value, tied))
    table = pd.DataFrame(rows, columns=["difference_to_best", "p_value", "tied_with_best"])
    return table.astype({"p_value": float})
