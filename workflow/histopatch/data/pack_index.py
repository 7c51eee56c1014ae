"""Where in a pack the images of a table are, by its index, whose names of millions of images stay on disk."""

from collections.abc import Collection, Sequence

import pandas as pd

from histopatch.database import database
from histopatch.errors import InputError
from histopatch.files import read_blocks

SMALL = {"label": "TINYINT", "fold": "SMALLINT"}  # types of columns that need no more


def find_images(index: str, by: str, values: Collection) -> pd.DataFrame:
    """`id,row` of the images whose `id` or `row`, as `by` says, is among the values, in the index's order."""
    found = [rows[rows[by].isin(values)] for rows in read_blocks(index, ["id", "row"])]
    return pd.concat(found, ignore_index=True)


def with_rows(table: str, index: str, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a table of patches (CSV with `id`) and the `row` of each in the pack, in the table's order.

    Texts are categories, empty where unknown. Raises InputError if the pack lacks a patch.
    """
    wanted = ", ".join(
        f"{name}::{SMALL[name]} AS {name}" if name in SMALL else f"coalesce({name}, '') AS {name}"
        for name in columns
    )
    with database() as tables:
        tables.load("patches", read_blocks(table, ["id", *columns]))
        tables.load("images", read_blocks(index, ["id", "row"]))
        (missing,) = tables.row("SELECT arg_min(id, place) FROM patches ANTI JOIN images USING (id)")
        if missing is not None:
            raise InputError(f"{index}: the patch {missing!r} of {table} is not there; make both again")
        tables.run(
            f"CREATE TABLE found AS SELECT patches.place, row, {wanted} FROM patches JOIN images USING (id)"
        )
        return tables.compact(f"SELECT row, {', '.join(columns)} FROM found ORDER BY place")
