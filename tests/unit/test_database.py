"""What does not fit into memory is on disk meanwhile, and the outcome is the same."""

import numpy as np
import pandas as pd
import pytest

from histopatch import database as module
from histopatch.database import ROWS, database
from histopatch.errors import InputError

COUNT = 1_200_000


def blocks(ids: np.ndarray, **columns):
    """A table in blocks of 100,000 rows."""
    table = pd.DataFrame({"id": [f"{number:064x}" for number in ids], **columns})
    return (table[start : start + 100_000] for start in range(0, len(table), 100_000))


@pytest.fixture
def shuffled() -> np.ndarray:
    return np.random.default_rng(0).permutation(COUNT)


def test_tables_larger_than_memory_are_matched_and_sorted(monkeypatch, tmp_path, shuffled):
    """Both tables have as much as there is memory, and the outcome half more."""
    monkeypatch.setattr(module, "MEMORY", "100MB")
    monkeypatch.setattr(module, "THREADS", 2)
    with database(tmp_path / "made.csv") as tables:
        tables.load("patches", blocks(shuffled, label=shuffled % 2))
        tables.load("images", blocks(np.arange(COUNT), row=np.arange(COUNT)))
        assert any(tmp_path.rglob("*.tmp"))  # DuckDB has left memory
        tables.run(
            "CREATE TABLE found AS SELECT patches.place, id, label, row FROM patches JOIN images USING (id)"
        )
        found = tables.table("SELECT * FROM found ORDER BY place")
    assert (found.place == np.arange(COUNT)).all()
    assert (found.row == shuffled).all()
    assert (found.label == shuffled % 2).all()
    assert [*tmp_path.iterdir()] == []


def test_rows_come_in_blocks_and_none_is_an_empty_block(tables):
    tables.load("numbers", blocks(np.arange(ROWS + 5)))
    lengths = [len(block) for block in tables.blocks("SELECT id FROM numbers ORDER BY place")]
    assert sum(lengths) == ROWS + 5
    assert max(lengths) <= ROWS
    (nothing,) = tables.blocks("SELECT id FROM numbers WHERE place < 0")
    assert [*nothing] == ["id"]
    assert nothing.empty


def test_compact_texts_are_categories_in_the_same_order(tables):
    slides = [f"slide {number % 7}" for number in range(ROWS + 100)]
    tables.load("patches", blocks(np.arange(ROWS + 100), slide=slides))
    found = tables.compact("SELECT slide, place FROM patches ORDER BY place")
    assert found.slide.dtype == "category"
    assert found.slide.tolist() == slides
    assert found.memory_usage(index=False).slide < 2 * len(slides)


def test_values_are_no_statements(tables):
    tables.load("patches", [pd.DataFrame({"id": ["a", "'; DROP TABLE patches; --"]})])
    assert tables.row("SELECT place FROM patches WHERE id = ?", "'; DROP TABLE patches; --") == (1,)


def test_without_room_there_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MEMORY", "4MB")
    message = r"there is no room for tables that .*; make some$"
    with pytest.raises(InputError, match=message) as caught, database(tmp_path / "made.csv") as tables:
        tables.load("patches", blocks(np.arange(COUNT)))
        tables.run("CREATE TABLE sorted AS SELECT id FROM patches ORDER BY id")
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []
