"""Trainings that failed while the others went on (`runtime.on_failure: compare_others`).

Such a training leaves its files without results, and a run.json with the reason as `failed`.
"""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from histopatch.errors import InputError


def failure(folders: Iterable[Path]) -> str | None:
    """Why a run failed, of which each fold has a folder: the reason of its first fold that did, or None."""
    folders = list(folders)
    for fold, folder in enumerate(folders):
        report = folder / "run.json"
        if report.is_file() and (reason := json.loads(report.read_text()).get("failed")):
            return reason if len(folders) == 1 else f"fold {fold}: {reason}"
    return None


def check_final(files: Iterable[str | Path]) -> None:
    """Raise InputError if a final training failed.

    files: one of each fold, those of a run side by side.
    """
    folders = [Path(file).parent for file in files]
    for run, folds in itertools.groupby(folders, key=lambda folder: folder.parent):
        if reason := failure(folds):
            raise InputError(
                f"the final training failed: {reason}; change final.overrides, or delete {run} to train it "
                "again"
            )


def failed(runs: pd.DataFrame) -> pd.Series:
    """Which rows of a table of runs failed (N booleans); without the column `failed` none did."""
    return runs.failed.notna() if "failed" in runs else pd.Series(False, runs.index)


def stopped(runs: pd.DataFrame) -> pd.Series:
    """Which rows of a table of runs halving stopped (N booleans); without its column none."""
    return runs.stopped_after.notna() if "stopped_after" in runs else pd.Series(False, runs.index)


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table of runs that have results."""
    return runs[~failed(runs) & ~stopped(runs)]
