"""A rung of successive halving: which runs of a study go on, and which are stopped there."""

import json
from pathlib import Path

import pandas as pd

from histopatch.errors import InputError
from histopatch.evaluation.predictions import fold_folders
from histopatch.files import read_table, write_table
from histopatch.halving import rung_file


def rung_table(study: str, runs: list[dict], epochs: int, going_on: int, root: str, table: str) -> None:
    """Write one row per run that is still there at the end of a rung, the best candidate first.

    runs: `run`, `folder`, `folds` and `candidate` of each, equal for runs that differ in their seed only,
    which go on together or not at all, and `patience`; epochs: where the rung ends; going_on: how many
    candidates go on; root: the folder that holds the runs' folders. Columns: `study,run,folder,epochs`,
    `val_auc` (of the weights that would be kept: after the last epoch of the rung, or with patience after the
    best one; mean over the folds), `candidate_val_auc` (mean over its runs), `goes_on` and `failed`, the
    reason. A candidate of which a run failed does not go on. Raises InputError when all failed.
    """
    rows = pd.DataFrame([_row(run, epochs, root) for run in runs])
    group = rows.groupby("candidate", sort=False)
    rows["candidate_val_auc"] = group.val_auc.transform("mean").where(group.failed.transform("count") == 0)
    if rows.candidate_val_auc.isna().all():
        raise InputError(
            f"studies.{study}: every configuration has a run that failed, {rows.run[0]!r} for example"
        )
    ranked = rows.sort_values("candidate_val_auc", ascending=False, kind="stable")
    best = ranked.candidate[ranked.candidate_val_auc.notna()].unique()[:going_on]
    ranked = ranked.assign(study=study, epochs=epochs, goes_on=ranked.candidate.isin(best))
    columns = ["study", "run", "folder", "epochs", "val_auc", "candidate_val_auc", "goes_on", "failed"]
    write_table(ranked[columns], table)


def _row(run: dict, epochs: int, root: str) -> dict:
    """The AUROC at the end of the rung; a training that stopped early has one that it ended with."""
    folds = [json.loads((folder / rung_file(epochs)).read_text()) for folder in fold_folders(run, root)]
    row = {key: run[key] for key in ("run", "folder", "candidate")}
    failed = next((fold["failed"] for fold in folds if "failed" in fold), None)
    aurocs = [[epoch["val_auc"] for epoch in fold["history"]] for fold in folds if "history" in fold]
    values = [max(own) if run["patience"] else own[-1] for own in aurocs]
    return row | {"val_auc": None if failed else sum(values) / len(values), "failed": failed}


def left_out(tables: list[str]) -> dict[str, dict[str, dict]]:
    """Why runs have no results, by study and folder: `stopped_after` so many epochs, or `failed`."""
    found: dict[str, dict[str, dict]] = {}
    for path in tables:
        rows = read_table(path)
        for row in rows[~rows.goes_on].itertuples():
            why = {"stopped_after": row.epochs} if pd.isna(row.failed) else {"failed": row.failed}
            found.setdefault(row.study, {})[row.folder] = why
    return found


def going_on(table: str | Path) -> list[str]:
    """The folders of the runs that go on after a rung."""
    rows = read_table(table)
    return [*rows.folder[rows.goes_on]]
