"""Clusters of patches that look alike, by the features that appearance.py measures."""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from histopatch.errors import InputError
from histopatch.files import beside, read_blocks, read_table, write_blocks

GROUPS = 4  # clusters to report on: few enough for each to have many patches
FEATURES = ["dark_red", "dark_blue", "pale_blue", "sharpness"]


def cluster_files(appearance: str, table: str) -> None:
    """Write `id,value` with one of up to GROUPS clusters of the patches of a pack, `1` the largest.

    appearance: CSV `id` and FEATURES.
    """
    features = read_table(appearance, FEATURES)
    clusters = cluster(features, min(GROUPS, len(features)), seed=0)
    rank = np.argsort(np.argsort(-np.bincount(clusters), kind="stable"))
    value = pd.DataFrame({"value": 1 + rank[clusters]})
    write_blocks(beside(read_blocks(appearance, ["id"]), value), table)


def cluster(features: pd.DataFrame, clusters: int, seed: int) -> np.ndarray:
    """The cluster of each patch, by k-means on standardised FEATURES; deterministic.

    A missing hue counts as the mean. Raises InputError if there are fewer patches than clusters.
    """
    if len(features) < clusters:
        raise InputError(f"appearance_clusters: {clusters} clusters are too many for {len(features)} patches")
    values = features[FEATURES].astype(float)
    values = ((values - values.mean()) / values.std().clip(lower=1e-9)).fillna(0)
    with threadpool_limits(1):  # the order of the sums, and so the last digits, depends on the threads
        return KMeans(clusters, n_init=3, random_state=seed).fit_predict(values.to_numpy())
