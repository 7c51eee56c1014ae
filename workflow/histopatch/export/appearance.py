"""How the patches that a model was trained on look, so that others can be told from them."""

from collections.abc import Collection

import numpy as np

from histopatch.data.clusters import FEATURES
from histopatch.data.folds import HELD_OUT
from histopatch.database import database
from histopatch.files import read_blocks
from histopatch.statistics.mahalanobis import distances, fit_bulk

LEVELS = (0.5, 0.9, 0.95, 0.99)


def describe_appearance(features: str, split: str, folds: Collection[int]) -> dict:
    """The bulk of FEATURES over the training part, and the quantiles of the distances from it there.

    features: CSV `id` and FEATURES of a pack; split: CSV `id,fold`; folds: those that the networks of the
    model validated on. The training part is every patch that at least one of the networks trained on. Those
    without tissue, which have no hue, are a share of their own: `no_tissue`.
    """
    validated_by_all = next(iter(folds)) if len({*folds}) == 1 else HELD_OUT
    with database() as tables:
        tables.load("patches", read_blocks(split, ["id", "fold"]))
        types = {"id": "VARCHAR"} | dict.fromkeys(FEATURES, "DOUBLE")
        tables.load("images", read_blocks(features, [*types]), types)
        tables.run(
            """CREATE TABLE trained AS SELECT images.* FROM images JOIN patches USING (id)
            WHERE fold NOT IN (?, ?)""",
            HELD_OUT, validated_by_all,
        )  # fmt: skip
        values = tables.table(f"SELECT {', '.join(FEATURES)} FROM trained ORDER BY place").to_numpy()
    tissue = values[~np.isnan(values).any(axis=1)]
    # Where no patch has any, every patch that has is unlike them.
    known = tissue if len(tissue) else np.zeros((1, len(FEATURES)))
    bulk = fit_bulk(known)
    quantiles = np.quantile(distances(known, bulk), LEVELS)
    return {
        "features": FEATURES,
        "patches": len(values),
        "no_tissue": 1 - len(tissue) / len(values),
        "mean": bulk.mean.tolist(),
        "precision": bulk.precision.tolist(),
        "quantiles": dict(zip(map(str, LEVELS), quantiles.tolist(), strict=True)),
    }
