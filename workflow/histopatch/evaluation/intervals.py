"""Rates and areas with their intervals, as they stand in a sentence or a table."""

import pandas as pd


def says_nothing(low, high):
    """Whether intervals between 0 and 1 are written as 0 to 1: slides or patches are too few. Elementwise."""
    return (low < 0.0005) & (high >= 0.9995)


def rate(row: dict, name: str) -> str:
    """A value between 0 and 1 with its interval, from `name`, `name_low` and `name_high` of a row."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if pd.isna(value):
        return "–"
    interval = f"{low:.3f}–{high:.3f}"
    if says_nothing(low, high):
        interval = "too few slides or patches for an interval"
    return f"{value:.3f} ({interval})"
