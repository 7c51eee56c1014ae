"""The seed as a second source of uncertainty of an effect, where runs were repeated with several seeds.

The interval of an effect is about other slides or patches and the trained models as they are. Training again
with another seed moves each model's AUROC as well, independently of which slides were drawn. The two are
combined by the method of variance estimates recovery (Zou, Donner: Construction of confidence limits about
effect measures: a general approach. Statistics in Medicine 27, 2008): the squared distances of the limits
from the estimate add up.
"""

import numpy as np
import pandas as pd
from scipy.stats import t

from histopatch.evaluation.run_table import matched_groups
from histopatch.statistics.multiplicity import ALPHA


def seed_variance(study: pd.DataFrame) -> tuple[float, int] | None:
    """The variance of the AUROC between seeds and its degrees of freedom, pooled over the runs of a study.

    None where no run was trained with several seeds.
    """
    groups = study.final_val_auc.groupby(matched_groups(study, "seed"))
    freedom = int((groups.size() - 1).sum())
    if not freedom:
        return None
    squares = ((study.final_val_auc - groups.transform("mean")) ** 2).sum()
    return float(squares / freedom), freedom


def widen(
    difference: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    weights: np.ndarray,
    variance: float,
    freedom: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The limits of contrasts with the variance between seeds added.

    difference, low, high: K contrasts with their 95 % limits, NaN where there are none; weights: K×R, of the
    R runs; variance and freedom: as `seed_variance` returns them.
    """
    seeds = t.ppf(1 - ALPHA / 2, freedom) ** 2 * variance * (np.asarray(weights) ** 2).sum(axis=1)
    return (
        difference - np.sqrt((difference - low) ** 2 + seeds),
        difference + np.sqrt((high - difference) ** 2 + seeds),
    )
