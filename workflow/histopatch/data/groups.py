"""Groups: patches that must stay on one side of a split because they resemble each other."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from histopatch.data.clusters import FEATURES, cluster
from histopatch.data.group_table import by_column, read_named, units_of_groups
from histopatch.data.same_images import pairs_among
from histopatch.data.units import UNITS, units_of
from histopatch.files import read_table
from histopatch.settings import Split


def group_patches(
    table: pd.DataFrame,
    split: Split,
    appearance: str | None,
    duplicates: str | None,
    named: str | None = None,
) -> np.ndarray | None:
    """The group of each patch as a number, or None where every patch is a group of its own.

    table: `id,slide,patient`, which are grouped as in `data.units`. appearance: the table of features of
    the pack; duplicates: its pairs; named: the groups that people name, as `read_named` reads them; each may
    be None where the split does not use it.
    """
    groups = np.arange(len(table))
    if split.group_by in UNITS:
        groups = units_of(table, split.group_by)
    elif by_column(split.group_by):
        values = read_named(named, table.id)[split.group_by]
        groups = units_of_groups(table, values, split.group_by, split.unmapped)
    if split.keep_duplicates_together:
        groups = join(groups, table.id, read_table(duplicates))
    if split.group_by == "appearance":
        features = read_table(appearance).set_index("id")[FEATURES]
        # Duplicates share their mean features, and so a cluster. Merging the clusters that duplicates
        # link would soon leave a single one, because some duplicates lie on the border of any two.
        shared = features.loc[table.id].reset_index(drop=True).groupby(groups).transform("mean")
        return cluster(shared, split.appearance_clusters, split.seed)
    ungrouped = split.group_by == "none" and not split.keep_duplicates_together
    return None if ungrouped else groups


def join(groups: np.ndarray, ids: pd.Series, pairs: pd.DataFrame) -> np.ndarray:
    """Groups of patches, merged where pairs (`kind,id_a,id_b`) link them, directly or through others.

    Pairs with a patch that is not among the ids are ignored, except that they link copies of one image.
    """
    _, groups = np.unique(groups, return_inverse=True)
    group_of = pd.Series(groups, index=ids)
    pairs = pairs_among(pairs, ids)
    ends = group_of.loc[pairs.id_a].to_numpy(), group_of.loc[pairs.id_b].to_numpy()
    links = coo_array((np.ones(len(pairs), bool), ends), shape=(groups.max() + 1,) * 2)
    return connected_components(links, directed=False)[1][groups]
