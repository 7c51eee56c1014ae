"""Groups: patches that must stay on one side of a split because they resemble each other."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from histopatch.data.clusters import FEATURES, cluster
from histopatch.data.group_table import by_column, read_named, units_of_groups, values_of
from histopatch.data.same_images import pairs_among
from histopatch.data.units import UNITS, units_of
from histopatch.database import Database
from histopatch.errors import InputError
from histopatch.files import read_blocks, read_table
from histopatch.settings import Split


def group_patches(
    tables: Database,
    split: Split,
    appearance: str | None,
    duplicates: str | None,
    named: str | None = None,
) -> np.ndarray | None:
    """The group of each patch as a number, in their order, or None where every patch is a group of its own.

    tables: with `patches` as `find_slides` makes it, which are grouped as in `data.units`. appearance: the
    table of features of the pack; duplicates: its pairs; named: the table of the groups that people name, as
    `write_groups` makes it; each may be None where the split does not use it.
    """
    patches = tables.compact("SELECT slide, patient FROM patches ORDER BY place")
    groups = np.arange(len(patches))
    if split.group_by in UNITS:
        groups = units_of(patches, split.group_by)
    elif by_column(split.group_by):
        values = values_of(tables, read_named(named, split.group_by), named)
        groups = units_of_groups(patches, values, split.group_by, split.unmapped)
    if split.keep_duplicates_together:
        groups = join(groups, tables, read_table(duplicates))
    if split.group_by == "appearance":
        # Duplicates share their mean features, and so a cluster. Merging the clusters that duplicates
        # link would soon leave a single one, because some duplicates lie on the border of any two.
        shared = _features(tables, appearance).groupby(groups).transform("mean")
        return cluster(shared, split.appearance_clusters, split.seed)
    ungrouped = split.group_by == "none" and not split.keep_duplicates_together
    return None if ungrouped else groups


def _features(tables: Database, appearance: str) -> pd.DataFrame:
    """FEATURES of the patches, in their order."""
    types = {"id": "VARCHAR"} | dict.fromkeys(FEATURES, "DOUBLE")
    tables.load("appearance", read_blocks(appearance, [*types]), types)
    (missing,) = tables.row("SELECT arg_min(id, place) FROM patches ANTI JOIN appearance USING (id)")
    if missing is not None:
        raise InputError(f"{appearance}: the patch {missing!r} is not there; remove it and make it again")
    columns = ", ".join(FEATURES)
    tables.run(
        f"CREATE TABLE features AS SELECT patches.place, {columns} FROM patches JOIN appearance USING (id)"
    )
    return tables.table(f"SELECT {columns} FROM features ORDER BY place")


def join(groups: np.ndarray, tables: Database, pairs: pd.DataFrame) -> np.ndarray:
    """Groups of patches, merged where pairs (`kind,id_a,id_b`) link them, directly or through others.

    tables: with `patches`, whose `place` counts the groups. Pairs with a patch that is not among them are
    ignored, except that they link copies of one image.
    """
    groups, distinct = pd.factorize(groups, sort=True)
    tables.load("linked", [pd.DataFrame({"id": pd.concat([pairs.id_a, pairs.id_b]).unique()}, dtype=str)])
    linked = tables.table("SELECT id, patches.place FROM patches SEMI JOIN linked USING (id) ORDER BY place")
    tables.run("DROP TABLE linked")
    group_of = pd.Series(groups[linked.place], linked.id)
    pairs = pairs_among(pairs, linked.id)
    ends = group_of.loc[pairs.id_a].to_numpy(), group_of.loc[pairs.id_b].to_numpy()
    links = coo_array((np.ones(len(pairs), bool), ends), shape=(len(distinct),) * 2)
    return connected_components(links, directed=False)[1][groups]
