"""How the patches that a model was trained on look, so that others can be told from them."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from histopatch.data.clusters import FEATURES
from histopatch.data.folds import HELD_OUT
from histopatch.statistics.mahalanobis import distances, fit_bulk

COMPARED = [*FEATURES, "no_tissue"]
LEVELS = (0.5, 0.9, 0.95, 0.99)


def compared(features: np.ndarray) -> np.ndarray:
    """COMPARED of patches (N×5) from their FEATURES (N×4): a patch without tissue, which lacks the hues, is
    unusual as far as such patches are."""
    return np.column_stack([features, np.isnan(features).any(axis=1)])


def describe_appearance(features: pd.DataFrame, split: pd.DataFrame, folds: Collection[int]) -> dict:
    """The bulk of COMPARED over the training part, and the quantiles of the distances from it there.

    features: CSV `id` and FEATURES of a pack; split: `id,fold`; folds: those that the networks of the model
    validated on. The training part is every patch that at least one of the networks trained on.
    """
    validated_by_all = next(iter(folds)) if len({*folds}) == 1 else None
    trained = split[(split.fold != HELD_OUT) & (split.fold != validated_by_all)]
    values = compared(features[features.id.isin(trained.id)][FEATURES].to_numpy(float))
    bulk = fit_bulk(values)
    quantiles = np.quantile(distances(values, bulk), LEVELS)
    return {
        "features": COMPARED,
        "patches": len(values),
        "mean": bulk.mean.tolist(),
        "precision": bulk.precision.tolist(),
        "quantiles": dict(zip(map(str, LEVELS), quantiles.tolist(), strict=True)),
    }
