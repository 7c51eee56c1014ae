"""Texts that a spreadsheet would run as a formula, made harmless in the tables that people open in one.

An apostrophe before such a text keeps a spreadsheet from running it, and is taken off again where a table is
read, so that names stay what they are.
"""

import re
from collections.abc import Callable

import pandas as pd

# A dash begins a formula only if more than a name or a number follows.
FORMULA = re.compile(r"[=+@\t\r]|-.*[^\w.\-/ ]", re.DOTALL)


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts a spreadsheet shows as they are, after an apostrophe where it would run them."""
    return _with_texts(table, ("=", "+", "@", "-", "\t", "\r", "'"), lambda text: f"'{text}")


def restored(table: pd.DataFrame) -> pd.DataFrame:
    """The table that `harmless` was given."""
    return _with_texts(table, "'", lambda text: text[1:])


def _with_texts(table: pd.DataFrame, beginnings, change: Callable[[str], str]) -> pd.DataFrame:
    """A table with a change made to each text that has one of these beginnings and would be run."""
    table, changed = table.reset_index(drop=True), {}  # rows of several tables may share their numbers
    for name, values in table.items():
        if pd.api.types.is_numeric_dtype(values):
            continue
        # Most columns have no such text, which this finds without a look at each.
        chosen = values.astype(str).str.startswith(beginnings).eq(True)
        if chosen.any():
            changed[name] = values.mask(chosen, values[chosen].map(lambda v: change(v) if _runs(v) else v))
    return table.assign(**changed) if changed else table


def _runs(value) -> bool:
    """Whether a spreadsheet would run a value, or does not only because of the apostrophes before it."""
    return isinstance(value, str) and FORMULA.match(value.lstrip("'")) is not None
