"""Copies of an image stay related whichever of them are left out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from histopatch.data.groups import join
from histopatch.data.same_images import pairs_among
from histopatch.leakage.audit import find_pairs
from histopatch.leakage.duplicates import MAX_ALL_PAIRS, digest_pair, same_pixels

IMAGE = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
COUNT = MAX_ALL_PAIRS + 8


def duplicates(images: list[np.ndarray]) -> pd.DataFrame:
    """The pairs of same pixels, with the row of each image as its id."""
    rows = np.arange(len(images))
    pairs = same_pixels(rows, np.array([digest_pair(image) for image in images]))
    return pairs.assign(id_a=pairs.row_a.map("{:03d}".format), id_b=pairs.row_b.map("{:03d}".format))


def ids(rows) -> pd.Series:
    return pd.Series([f"{row:03d}" for row in rows])


def pairs_of(table: pd.DataFrame, kind: str) -> list[str]:
    of_kind = table[table.kind == kind]
    return sorted("-".join(sorted(pair)) for pair in zip(of_kind.id_a, of_kind.id_b, strict=True))


@pytest.fixture
def joined(tables):
    """The groups of some rows of the images, joined by their duplicates."""

    def run(images: list[np.ndarray], rows: Sequence[int]) -> np.ndarray:
        tables.load("patches", [pd.DataFrame({"id": ids(rows)})])
        return join(np.arange(len(rows)), tables, duplicates(images))

    return run


@pytest.mark.parametrize("without", [[], [0], [0, 1], [5, 17], range(30)])
def test_copies_are_one_group_whichever_have_labels(joined, without):
    rows = [row for row in range(COUNT) if row not in without]
    assert len(set(joined([IMAGE] * COUNT, rows))) == 1


def test_turned_copies_are_one_group_and_copies_of_others_are_another(joined):
    turned, other = np.rot90(IMAGE), IMAGE[::-1] // 2
    images = [IMAGE, turned] * COUNT + [other] * COUNT
    groups = joined(images, range(2, len(images)))
    assert len(set(groups[: 2 * COUNT - 2])) == len(set(groups[2 * COUNT - 2 :])) == 1
    assert groups[0] != groups[-1]


def test_the_audit_finds_copies_whose_first_one_has_no_label():
    rows = range(1, 40)
    table = pd.DataFrame({"id": ids(rows), "label": [row % 2 for row in rows]})
    table = table.assign(fold=table.label - 1, slide="", patient="")
    pairs = find_pairs(table, duplicates([IMAGE] * 40))
    crossing = pairs[(pairs.kind == "identical") & (pairs.fold_a != pairs.fold_b)]
    assert {*table.id[table.label == 0]} <= {*crossing.id_a, *crossing.id_b}
    assert len(pairs[pairs.kind == "two_labels"]) == 19


def test_the_kind_of_a_pair_is_kept():
    """Of 20 copies and 20 turned ones, the firsts of both have no label."""
    images = [IMAGE] * 20 + [np.rot90(IMAGE)] * 20
    rows = [row for row in range(40) if row not in (0, 20)]
    found = pairs_among(duplicates(images), ids(rows))
    assert pairs_of(found, "identical") == sorted(
        [f"001-{row:03d}" for row in range(2, 20)] + [f"021-{row:03d}" for row in range(22, 40)]
    )
    assert pairs_of(found, "turned") == ["001-021"]


def test_all_pairs_of_a_few_copies_are_listed_once():
    found = pairs_among(duplicates([IMAGE] * 4), ids([0, 2, 3]))
    assert pairs_of(found, "identical") == ["000-002", "000-003", "002-003"]


def test_near_duplicates_are_not_transitive():
    pairs = pd.DataFrame({"kind": "near", "id_a": ["000", "001"], "id_b": ["001", "002"]})
    assert pairs_among(pairs, ids([0, 2])).empty
