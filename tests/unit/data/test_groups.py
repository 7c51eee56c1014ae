from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histopatch.data.clusters import FEATURES
from histopatch.data.groups import group_patches, join
from histopatch.settings import Split

SPLIT = Split(validation_fraction=0.15, seed=0, appearance_clusters=2)
IDS = pd.Series([f"{i:02d}" for i in range(6)])
TABLE = pd.DataFrame({"id": IDS, "slide": ["s", "s", "t", "t", "", ""], "patient": ""})


@pytest.fixture
def group(tables):
    """The groups of the patches of a table."""

    def run(split: Split, appearance=None, duplicates=None, table=TABLE) -> np.ndarray | None:
        tables.load("patches", [table])
        return group_patches(tables, split, appearance, duplicates)

    return run


def together(groups: np.ndarray) -> set[str]:
    """The groups, each as a string of its members' last digits."""
    return {"".join(str(i) for i in np.flatnonzero(groups == group)) for group in set(groups.tolist())}


@pytest.fixture
def duplicates(csv) -> str:
    lines = ["kind,id_a,id_b,correlation,overlap", "near,01,02,1,1", "turned,02,04,1,1", "near,05,99,1,1"]
    return str(csv("duplicates.csv", *lines))


def test_by_default_there_are_no_groups(group):
    assert group(SPLIT) is None


def test_slides_are_groups_and_patches_without_one_are_their_own(group):
    groups = group(replace(SPLIT, group_by="slide"))
    assert together(groups) == {"01", "23", "4", "5"}


def test_patients_are_groups(group):
    table = TABLE.assign(patient=["p", "p", "p", "p", "", ""])
    assert together(group(replace(SPLIT, group_by="patient"), table=table)) == {"0123", "4", "5"}


def test_duplicates_are_groups_also_through_other_patches(group, duplicates):
    split = replace(SPLIT, keep_duplicates_together=True)
    assert together(group(split, None, duplicates)) == {"0", "124", "3", "5"}


def test_duplicates_join_their_slides(group, duplicates):
    split = replace(SPLIT, keep_duplicates_together=True, group_by="slide")
    assert together(group(split, None, duplicates)) == {"01234", "5"}


def test_pairs_of_unknown_patches_join_nothing(tables):
    tables.load("patches", [TABLE])
    pairs = pd.DataFrame({"kind": "near", "id_a": ["00", "98"], "id_b": ["97", "99"]})
    assert together(join(np.arange(6), tables, pairs)) == {*"012345"}


@pytest.fixture
def appearance(csv) -> str:
    """Patches 0 to 2 look one way, 3 to 5 another; in another order than the ids, and one more."""
    lines = [f"{i:02d},{','.join([str(i // 3)] * 4)}" for i in (3, 6, 0, 5, 1, 4, 2)]
    return str(csv("appearance.csv", ",".join(["id", *FEATURES]), *lines))


def test_patches_that_look_alike_are_groups(group, appearance):
    split = replace(SPLIT, group_by="appearance")
    assert together(group(split, appearance)) == {"012", "345"}


def test_duplicates_share_a_cluster_without_joining_clusters(group, appearance, duplicates):
    split = replace(SPLIT, group_by="appearance", keep_duplicates_together=True)
    groups = group(split, appearance, duplicates)
    assert groups[1] == groups[2] == groups[4]
    assert len(set(groups)) == 2
