"""Comparison of runs: from each run's kept files to one table of all runs and one a study."""

import json
from pathlib import Path

import pandas as pd

from pcam.evaluation.metrics import summarise
from pcam.files import write_table

# The columns of the study's tables that come first; the other settings follow.
LEADING = [
    "run", "backbone", "epochs", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high",
    "lr", "weight_decay", "dropout", "scheduler", "pos_weight",
]  # fmt: skip
RESULTS = [
    "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high", "val_log_loss", "train_seconds",
]  # fmt: skip


def compare_runs(runs: list[dict], root: str, table: str) -> None:
    """One row for each run of each study: `study,run,folder`, every setting, then the results.

    runs: `study`, `run` (its name there), `folder` and `settings` of each; root: the folder that holds
    the runs' folders. `best_val_auc` is the best epoch's AUROC, `final_val_auc` that of the last epoch,
    whose model and predictions are kept, with its 95 % interval (DeLong). `train_seconds` counts the
    epochs with their evaluation.
    """
    known: dict[str, dict] = {}
    rows = []
    for run in runs:
        folder = run["folder"]
        if folder not in known:
            known[folder] = _results(Path(root, folder, "fold-0"))
        keys = {"study": run["study"], "run": run["run"], "folder": folder}
        rows.append(keys | flatten(run["settings"]) | known[folder])
    write_table(pd.DataFrame(rows), table)


def study_table(runs: str, study: str, table: str) -> None:
    """The rows of one study, best first by the AUROC of the kept model, its name columns first."""
    rows = read_runs(runs)
    rows = rows[rows.study == study].sort_values("final_val_auc", ascending=False, kind="stable")
    columns = LEADING + [c for c in rows if c not in [*LEADING, "study"]]
    write_table(rows[columns], table)


def read_runs(table: str) -> pd.DataFrame:
    """Read a table of runs; names stay names, as a run may be called `NA` or `007`."""
    names = {"study": str, "run": str, "folder": str}
    return pd.read_csv(table, dtype=names, keep_default_na=False, na_values=[""])


def flatten(settings: dict, prefix: str = "") -> dict:
    """Settings as columns: nested keys joined by a dot."""
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _results(folder: Path) -> dict:
    history = pd.read_csv(folder / "history.csv")
    predictions = pd.read_csv(folder / "predictions.csv", usecols=["label", "probability"])
    seconds = json.loads((folder / "run.json").read_text())["seconds"]
    metrics = summarise(predictions.label.to_numpy(), predictions.probability.to_numpy())
    return {
        "best_val_auc": round(max(history.val_auc.max(), metrics["val_auc"]), 6),
        "final_val_auc": round(metrics["val_auc"], 6),
        "val_auc_low": round(metrics["val_auc_low"], 6),
        "val_auc_high": round(metrics["val_auc_high"], 6),
        "val_log_loss": round(metrics["val_log_loss"], 6),
        "train_seconds": round(seconds["train"] + seconds["evaluate"], 1),
    }
