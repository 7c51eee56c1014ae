"""Which runs of a study are as good as its best, as far as the validation patches can tell."""

import numpy as np
import pandas as pd

from pcam.evaluation.auroc import delong_paired, paired_bootstrap_by_slide
from pcam.evaluation.kept import Kept
from pcam.evaluation.multiplicity import holm

LEVEL = 0.05  # chance of calling any run worse that is not


def compare_with_best(runs: dict[str, Kept], aurocs: dict[str, float]) -> pd.DataFrame:
    """A row a run, in their order: `difference_to_best`, `p_value` and `tied_with_best`.

    The test is paired, by slide where slides are known and DeLong's elsewhere, and its p-values are
    adjusted by Holm over the study. Runs that validate on other patches than the best one cannot be
    paired with it and have no p-value and no verdict.
    """
    best = max(aurocs, key=aurocs.__getitem__)
    others = [name for name in runs if name != best and np.array_equal(runs[name].ids, runs[best].ids)]
    # A bootstrap of n repeats has no p-value under 2 / n, which Holm multiplies by the number of tests.
    # Over some 100 runs a cap keeps the time in bounds, and errs on the side of a tie.
    repeats = min(max(1000, 100 * len(others)), 10_000)
    p_values = [_p_value(runs[name], runs[best], repeats) for name in others]
    adjusted = dict(zip(others, holm(p_values), strict=True)) if others else {}
    rows = []
    for name in runs:
        p_value = adjusted.get(name)
        tied = True if name == best else None if p_value is None else p_value > LEVEL
        rows.append((aurocs[name] - aurocs[best], p_value, tied))
    table = pd.DataFrame(rows, columns=["difference_to_best", "p_value", "tied_with_best"])
    return table.astype({"p_value": float})


def _p_value(run: Kept, best: Kept, repeats: int) -> float:
    if run.slides is None or len(set(run.slides)) < 2:
        return delong_paired(run.labels, run.probabilities, best.probabilities).p_value
    return paired_bootstrap_by_slide(
        run.labels, run.probabilities, best.probabilities, run.slides, repeats=repeats, seed=0
    ).p_value
