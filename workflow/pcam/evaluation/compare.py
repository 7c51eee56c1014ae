"""Comparison of runs: from each run's kept files to one table of all runs and one a study."""

import json
from pathlib import Path

import pandas as pd

from pcam.evaluation.kept import Kept, read_kept, read_slides
from pcam.evaluation.metrics import summarise
from pcam.evaluation.ties import compare_with_best
from pcam.files import read_table, write_table

# The columns of the study's tables that come first; the other settings follow.
LEADING = [
    "run", "backbone", "epochs", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high",
    "lr", "weight_decay", "dropout", "scheduler", "pos_weight",
]  # fmt: skip
RESULTS = [
    "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high", "val_auc_interval",
    "difference_to_best", "p_value", "tied_with_best", "val_log_loss", "train_seconds",
]  # fmt: skip


def compare_runs(runs: list[dict], root: str, splits: dict[str, str], table: str) -> None:
    """One row for each run of each study: `study,run,folder`, every setting, then the results.

    runs: `study`, `run` (its name there), `folder` and `settings` of each; root: the folder that holds
    the runs' folders; splits: the table of each split, which knows the slides. `best_val_auc` is the best
    epoch's AUROC, `final_val_auc` that of the last epoch, whose model and predictions are kept, with its
    95 % interval, by slide where slides are known (`val_auc_interval` says). `tied_with_best` and its
    p-value come of a paired test within the study. `train_seconds` counts the epochs with their evaluation.
    """
    slides = {name: read_slides(path) for name, path in splits.items()}
    kept: dict[str, Kept] = {}
    results: dict[str, dict] = {}
    for run in runs:
        folder = run["folder"]
        if folder not in kept:
            predictions = Path(root, folder, "fold-0", "predictions.csv")
            kept[folder] = read_kept(predictions, slides[run["settings"]["split"]])
            results[folder] = _results(Path(root, folder, "fold-0"), kept[folder])
    tables = [
        _study_rows([run for run in runs if run["study"] == study], kept, results)
        for study in dict.fromkeys(run["study"] for run in runs)
    ]
    write_table(pd.concat(tables), table)


def study_table(runs: str, study: str, table: str) -> None:
    """The rows of one study, best first by the AUROC of the kept model, its name columns first."""
    rows = read_table(runs)
    rows = rows[rows.study == study].sort_values("final_val_auc", ascending=False, kind="stable")
    columns = LEADING + [c for c in rows if c not in [*LEADING, "study"]]
    write_table(rows[columns], table)


def flatten(settings: dict, prefix: str = "") -> dict:
    """Settings as columns: nested keys joined by a dot."""
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _study_rows(runs: list[dict], kept: dict[str, Kept], results: dict[str, dict]) -> pd.DataFrame:
    keys = [{name: run[name] for name in ("study", "run", "folder")} for run in runs]
    rows = [
        key | flatten(run["settings"]) | results[run["folder"]] for key, run in zip(keys, runs, strict=True)
    ]
    folders = [run["folder"] for run in runs]
    ties = compare_with_best(
        {folder: kept[folder] for folder in folders},
        {folder: results[folder]["final_val_auc"] for folder in folders},
    )
    return pd.concat([pd.DataFrame(rows), ties.round({"difference_to_best": 6})], axis=1)


def _results(folder: Path, kept: Kept) -> dict:
    history = read_table(folder / "history.csv")
    seconds = json.loads((folder / "run.json").read_text())["seconds"]
    metrics = summarise(kept.labels, kept.probabilities, kept.slides)
    return {
        "best_val_auc": round(max(history.val_auc.max(), metrics["val_auc"]), 6),
        "final_val_auc": round(metrics["val_auc"], 6),
        "val_auc_low": round(metrics["val_auc_low"], 6),
        "val_auc_high": round(metrics["val_auc_high"], 6),
        "val_auc_interval": metrics["val_auc_interval"],
        "val_log_loss": round(metrics["val_log_loss"], 6),
        "train_seconds": round(seconds["train"] + seconds["evaluate"], 1),
    }
