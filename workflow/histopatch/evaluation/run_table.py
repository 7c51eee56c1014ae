"""The table of runs: its key columns, its setting columns, and which runs differ in one setting only."""

import pandas as pd

from histopatch.schema import neutral_settings, setting_columns

KEYS = ["study", "run", "folder"]


def setting_values(identity: dict) -> dict:
    """Every setting of a run by its column, sorted: `augmentation.flips`, …, `backbone`, …

    identity: the run's settings without those at their neutral value, which are filled in.
    """
    values = _flatten(neutral_settings()) | _flatten(identity)
    return dict(sorted(values.items()))


def settings_of(runs: pd.DataFrame) -> list[str]:
    """The columns of a table of runs that are settings, in the table's order."""
    settings = set(setting_columns())
    return [column for column in runs if column in settings]


def matched_groups(runs: pd.DataFrame, setting: str) -> pd.Series:
    """A group number for each run (N): runs of one group differ in nothing but the given setting."""
    others = [column for column in settings_of(runs) if column != setting]
    return runs.groupby(others, sort=False, dropna=False).ngroup()


def _flatten(settings: dict, prefix: str = "") -> dict:
    """Nested settings with their keys joined by a dot."""
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
