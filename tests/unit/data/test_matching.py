"""Ids are matched on disk as `match_ids` matches them in memory."""

import numpy as np
import pandas as pd
import pytest

from histopatch.data.matching import fit_ids
from histopatch.data.names import match_ids


@pytest.fixture
def fit(tables):
    """The ids of a table after it was fitted to known ones, and what `fit_ids` returns."""

    def run(ids: list[str], known: list[str], **options) -> tuple[list[str], pd.DataFrame, pd.Series]:
        tables.load("rows", [pd.DataFrame({"id": ids}, dtype=str)])
        tables.load("images", [pd.DataFrame({"id": known}, dtype=str)])
        strays, alike = fit_ids(tables, "rows", "images", **options)
        return tables.table("SELECT id FROM rows ORDER BY place").id.tolist(), strays, alike

    return run


@pytest.mark.parametrize("seed", range(5))
def test_ids_are_matched_as_in_memory(fit, seed):
    rng = np.random.default_rng(seed)

    def draw(count: int) -> list[str]:
        suffixes = rng.choice(["", "", ".tif", ".TIF", ".png", ".x"], count)
        return [
            f"{number:02d}{suffix}"
            for number, suffix in zip(rng.integers(0, 40, count), suffixes, strict=True)
        ]

    ids, known = draw(60), [*dict.fromkeys(draw(40))]
    fitted, _, _ = fit(ids, known)
    assert fitted == match_ids(pd.Series(ids, dtype=str), known).tolist()


def test_only_what_is_like_a_known_id_is_a_stray_unless_all_are_asked_for(fit):
    ids, known = ["a.tif", "b", "7", "none"], ["a", "b", "007", "c"]
    fitted, strays, alike = fit(ids, known)
    assert fitted == ["a", "b", "7", "none"]
    assert strays[["place", "id", "fit"]].values.tolist() == [[0, "a.tif", "a"]]
    assert sorted(alike) == ["a"]


def test_all_strays_come_with_ids_that_lost_their_zeros(fit):
    _, strays, alike = fit(["a.tif", "b", "7", "none"], ["a", "b", "007", "c"], all_strays=True)
    assert strays.id.tolist() == ["a.tif", "7", "none"]
    assert sorted(alike) == ["007", "a"]
