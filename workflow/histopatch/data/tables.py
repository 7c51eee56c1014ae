"""Tables that people bring, as CSV, TSV or Parquet: read right, or refused in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from histopatch.data.names import tidy
from histopatch.errors import InputError


@dataclass(frozen=True)
class Column:
    """A column that is wanted of a table."""

    key: str  # the key of the configuration that names it, such as `dataset.columns.id`
    names: Sequence[str]  # what it may be called; the first that the table has is read
    required: bool = True


def read_columns(path: str, columns: dict[str, Column]) -> pd.DataFrame:
    """The wanted columns of a table as tidy texts, called by their keys here.

    An optional column that the table lacks is missing from the result. `row` is the line in the file, or in
    a Parquet file the number of the row. A row without any value is left out. Raises InputError if the file
    cannot be read as a table or lacks a required column.
    """
    table = _read(path)
    found = {}
    for name, column in columns.items():
        called = next((known for known in column.names if known in table), None)
        if called is not None:
            found[name] = tidy(table[called])
        elif column.required:
            raise InputError(
                f"{path}: there is no column {column.names[0]!r}, the columns are "
                f"{', '.join(map(repr, table.columns))}; set {column.key}"
            )
    rows = pd.DataFrame(found)
    rows.insert(0, "row", range(2, len(rows) + 2))  # line 1 is the header
    return rows[(rows.drop(columns="row") != "").any(axis=1)].reset_index(drop=True)


def _read(path: str) -> pd.DataFrame:
    """A table as texts; an empty field is the empty text."""
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file")
    if path.endswith(".parquet"):
        return pd.read_parquet(path).astype(str)
    # Blank lines are kept, so that the line numbers match the file.
    separator = "\t" if path.endswith(".tsv") else ","
    table = pd.read_csv(path, dtype=str, sep=separator, keep_default_na=False, skip_blank_lines=False)
    table.columns = table.columns.str.strip()
    return table
