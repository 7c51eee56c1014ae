"""The parts that a data set gives itself: who trains, who validates, and what is held out."""

import numpy as np

from histopatch.data.folds import HELD_OUT_PART, TEST_PART, TRAIN_PART, VALIDATION_PART
from histopatch.data.formats.format import Format
from histopatch.database import Database
from histopatch.errors import InputError
from histopatch.settings import Split


def parts_of(tables: Database, dataset: Format, split: Split) -> np.ndarray:
    """The part that the data set gives each patch, as in `data.folds.GIVEN`, in the order of the patches.

    tables: with `patches`, which has `place,id,label` (0 or 1). Raises InputError if the split also asks to
    draw what is given, if a patch is in no part or in two, or if a part lacks a class.
    """
    tables.load("given", dataset.given_parts())
    tables.run("DELETE FROM given WHERE part = ?", TEST_PART)
    names = tables.table("SELECT part FROM given GROUP BY part ORDER BY min(place)").part
    _check_keys(split, {*names})
    twice = tables.table(
        """SELECT id, part FROM given SEMI JOIN (
            SELECT id FROM given GROUP BY id HAVING min(part) <> max(part) ORDER BY min(place) LIMIT 1
        ) USING (id) ORDER BY place"""
    )
    if len(twice):
        first, second = twice.part.unique()[:2]
        raise InputError(f"parts: the patch {twice.id.iloc[0]!r} is in the parts {first!r} and {second!r}")
    (first,) = tables.row("SELECT arg_min(id, place) FROM patches ANTI JOIN given USING (id)")
    if first is not None:
        raise InputError(f"parts: the patch {first!r} has no part")
    tables.run("CREATE TABLE part_of AS SELECT id, any_value(part) AS part FROM given GROUP BY id")
    tables.run("CREATE TABLE parts AS SELECT place, label, part FROM patches JOIN part_of USING (id)")
    patches = tables.compact("SELECT label, part FROM parts ORDER BY place")
    for table in ("given", "part_of", "parts"):
        tables.run(f"DROP TABLE {table}")
    for part in dict.fromkeys((TRAIN_PART, *names)):
        labels = patches.label[patches.part == part]
        count, positive = len(labels), labels.sum()
        if positive in (0, count):
            found = f"{'positive' if positive else 'negative'} patches only" if count else "no usable patch"
            raise InputError(
                f"parts: the part {part!r} has {found}; both classes are needed in each part, but there are "
                f"{positive:,} positive and {count - positive:,} negative patches"
            )
    return patches.part.to_numpy()


def _check_keys(split: Split, given: set[str]) -> None:
    """Raise InputError for a key that asks to draw a part that is given."""
    for key, asked, part in (
        ("held_out_fraction", split.held_out_fraction > 0, HELD_OUT_PART),
        ("folds", split.folds > 1, VALIDATION_PART),
    ):
        if asked and part in given:
            raise InputError(
                f"{key}: {getattr(split, key)} contradicts `parts: given`, as the data set itself gives the "
                f"part {part!r}; remove {key}, or set `parts: drawn`"
            )
