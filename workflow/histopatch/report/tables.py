"""Tables of the results as cells of the page."""

from typing import NamedTuple

import pandas as pd

from histopatch.evaluation.run_table import settings_of
from histopatch.files import read_table
from histopatch.report.chapters import Table

MISSING = "–"


class Cells(NamedTuple):
    """What a table shows: headers, rows of texts, how many rows there are, how many columns on paper."""

    headers: list[str]
    rows: list[list[str]]
    count: int
    printed: int


def read_cells(table: Table, path: str) -> Cells:
    """The columns of a table that the page shows; one that the file lacks is left out."""
    rows = read_table(path)
    shown = rows if table.rows is None else rows.head(table.rows)
    columns = [(column.name, column.header, column.format) for column in table.columns if column.name in rows]
    printed = len(columns)
    if table.settings:
        columns += [(name, name, "") for name in differing_settings(rows)]
    cells = [[_cell(value, format_) for value in shown[name]] for name, _, format_ in columns]
    headers = [header for _, header, _ in columns]
    return Cells(headers, [list(row) for row in zip(*cells, strict=True)], len(rows), printed)


def differing_settings(runs: pd.DataFrame) -> list[str]:
    """The settings in which the runs of a table differ, in its order."""
    return [name for name in settings_of(runs) if runs[name].nunique(dropna=False) > 1]


def _cell(value, format_: str) -> str:
    if pd.isna(value):
        return MISSING
    if isinstance(value, bool) or str(value) in ("True", "False"):
        return "yes" if str(value) == "True" else "no"
    if isinstance(value, float) and not format_:
        return f"{value:g}"
    return format(value, format_) if format_ else str(value)
