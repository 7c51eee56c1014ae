"""Rates and areas with their intervals, as they stand in a sentence or a table."""

import pandas as pd


def rate(row: dict, name: str) -> str:
    """A value between 0 and 1 with its interval, from `name`, `name_low` and `name_high` of a row.

    An interval that is written as 0 to 1 says nothing: slides or patches are too few.
    """
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if pd.isna(value):
        return "–"
    interval = f"{low:.3f}–{high:.3f}"
    if interval == "0.000–1.000":
        interval = "too few slides or patches for an interval"
    return f"{value:.3f} ({interval})"
