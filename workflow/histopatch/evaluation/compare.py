"""Comparison of runs: from each run's kept files to one table of all runs and one a study."""

import json

import numpy as np
import pandas as pd

from histopatch.evaluation.measured_on import validated_on
from histopatch.evaluation.predictions import Kept, fold_folders, read_runs
from histopatch.evaluation.run_table import LEADING, NAMES
from histopatch.evaluation.ties import compare_with_best
from histopatch.files import read_table, write_table
from histopatch.statistics.metrics import fold_aurocs, summarise


def compare_runs(
    runs: list[dict], rules: dict[str, dict], root: str, splits: dict[str, str], table: str
) -> None:
    """One row for each run of each study: `study,run,folder`, every setting, then the results.

    runs: `study`, `run` (its name there), `folder`, `settings` and `folds` of each; rules: the splits in the
    configuration; root: the folder that holds the runs' folders; splits: the table of each split.
    `best_val_auc` is the best epoch's AUROC (mean over the folds), `final_val_auc` that of the last epoch,
    whose models and predictions are kept, over the pooled predictions of all folds, with its 95 % interval,
    by slide where slides are known (`val_auc_interval` says). `fold_auc_mean` and `fold_auc_sd` are over the
    folds. `tied_with_best` and its p-value come of a paired test within the study. `train_seconds` counts
    the epochs of all folds with their evaluation.
    """
    kept = read_runs(runs, root, splits)
    results = {}
    for run in runs:
        if run["folder"] not in results:
            where = validated_on(rules[run["settings"]["split"]])
            results[run["folder"]] = {"validated_on": where} | _results(run, root, kept[run["folder"]])
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
    rows = [
        {name: run[name] for name in NAMES} | flatten(run["settings"]) | results[run["folder"]]
        for run in runs
    ]
    folders = [run["folder"] for run in runs]
    ties = compare_with_best(
        {folder: kept[folder] for folder in folders},
        {folder: results[folder]["final_val_auc"] for folder in folders},
    )
    return pd.concat([pd.DataFrame(rows), ties.round({"difference_to_best": 6})], axis=1)


def _results(run: dict, root: str, kept: Kept) -> dict:
    folders = fold_folders(run, root)
    epochs = np.mean([read_table(folder / "history.csv").val_auc for folder in folders], axis=0)
    seconds = [json.loads((folder / "run.json").read_text())["seconds"] for folder in folders]
    metrics = summarise(kept.labels, kept.probabilities, kept.slides)
    aurocs = fold_aurocs(kept.labels, kept.probabilities, kept.folds)
    measured = {
        "best_val_auc": max(epochs.max(), aurocs.mean()),
        "final_val_auc": metrics["auc"],
        "val_auc_low": metrics["auc_low"],
        "val_auc_high": metrics["auc_high"],
        "fold_auc_mean": aurocs.mean(),
        "fold_auc_sd": aurocs.std(ddof=1) if len(aurocs) > 1 else None,
        **{f"val_{name}": metrics[name] for name in ("average_precision", "log_loss", "brier", "ece")},
    }
    return {
        "folds": run["folds"],
        "val_auc_interval": metrics["auc_interval"],
        "val_slides": metrics["slides"],
        **{name: None if value is None else round(float(value), 6) for name, value in measured.items()},
        "train_seconds": round(sum(part["train"] + part["evaluate"] for part in seconds), 1),
    }
