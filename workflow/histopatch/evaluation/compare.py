"""Comparison of runs: from the files of each run to one table of all runs."""

import json
from collections.abc import Sequence

import pandas as pd

from histopatch.data.folds import read_sides
from histopatch.errors import InputError
from histopatch.evaluation.predictions import Predictions, fold_folders, read_run_predictions
from histopatch.evaluation.run_table import KEYS, setting_values
from histopatch.evaluation.rungs import left_out
from histopatch.evaluation.split_descriptions import CHOSEN, evaluated_on
from histopatch.evaluation.ties import compare_with_best
from histopatch.failures import failure
from histopatch.files import read_table, write_table
from histopatch.settings import Split
from histopatch.statistics.metrics import METRICS


def compare_runs(
    runs: list[dict],
    splits: dict[str, Split],
    root: str,
    split_tables: dict[str, str],
    rungs: Sequence[str],
    table: str,
) -> None:
    """Write one row per run of each study: `study,run,folder`, every setting, then the results.

    runs: `study`, `run` (its name there), `folder`, `settings` (neutral values left out) and `folds` of
    each; splits: the splits of the experiment by name, and split_tables: the table of each; root: the
    folder that holds the runs' folders; rungs: the tables of all rungs of studies with halving.

    `best_val_auc` is the AUROC of the best epoch that all folds had, `final_val_auc` that of the epoch whose
    model and predictions are kept, the last one unless `patience` chose another. Both are means over the
    folds, as each has another network; `final_val_auc` has a 95 % interval, by slide or patient if these are
    known (see `val_auc_interval`), and `pooled_val_auc` is over the predictions of all folds together.
    `val_slides` and `val_patients` count the known ones, `val_unmapped` the patches without one.
    `fold_auc_mean` and `fold_auc_sd` are over the folds. `tied_with_best` and `p_value` are from paired tests
    of all runs of the study. `train_seconds` is the time of all epochs of all folds, evaluation included.
    Where a run failed there is a last column, `failed`, which says why, and the run has no results. Where
    halving stopped a run, `stopped_after` says after how many epochs, and the run has no results
    either: it is compared in the table of its rung only. Raises InputError when every run of a study failed.
    """
    not_there = left_out(rungs)
    whole = [run for run in runs if run["folder"] not in not_there.get(run["study"], {})]
    failures = {run["folder"]: failure(fold_folders(run, root)) for run in whole}
    finished = [run for run in whole if not failures[run["folder"]]]
    predictions = read_run_predictions(finished, root, split_tables)
    validated_on = {name: evaluated_on(splits[name], read_sides(path)) for name, path in split_tables.items()}
    facts, results = {}, {}
    for run in runs:
        folder = run["folder"]
        patches = validated_on[run["settings"]["split"]]
        if run["settings"].get("patience"):
            patches += CHOSEN
        facts[folder] = {"validated_on": patches, "folds": run["folds"]}
        if folder in predictions and folder not in results:
            results[folder] = facts[folder] | _results(run, root, predictions[folder])
        elif folder in failures:
            results.setdefault(folder, facts[folder] | {"failed": failures[folder]})
    studies = []
    for study in dict.fromkeys(run["study"] for run in runs):
        # A run that is stopped in one study may be whole in another.
        stopped = {folder: facts[folder] | why for folder, why in not_there.get(study, {}).items()}
        compared = {folder: predictions[folder] for folder in predictions if folder not in stopped}
        members = [run for run in runs if run["study"] == study]
        studies.append(_study_rows(members, compared, results | stopped))
    rows = pd.concat(studies)
    for last in ("stopped_after", "failed"):
        if last in rows:
            rows[last] = rows.pop(last)
    write_table(rows, table)


def _study_rows(
    runs: list[dict], predictions: dict[str, Predictions], results: dict[str, dict]
) -> pd.DataFrame:
    rows = [
        {key: run[key] for key in KEYS} | setting_values(run["settings"]) | results[run["folder"]]
        for run in runs
    ]
    folders = [run["folder"] for run in runs if run["folder"] in predictions]
    if not folders:
        first = next(run for run in runs if "failed" in results[run["folder"]])
        raise InputError(
            f"studies.{first['study']}: every run failed, {first['run']!r} with: "
            f"{results[first['folder']]['failed']}"
        )
    ties = compare_with_best(
        {folder: predictions[folder] for folder in folders},
        {folder: results[folder]["final_val_auc"] for folder in folders},
    )
    ties.index = [i for i, run in enumerate(runs) if run["folder"] in predictions]
    return pd.concat([pd.DataFrame(rows), ties.round({"difference_to_best": 6})], axis=1)


def _results(run: dict, root: str, predictions: Predictions) -> dict:
    folders = fold_folders(run, root)
    histories = [read_table(folder / "history.csv").set_index("epoch").val_auc for folder in folders]
    epochs = pd.concat(histories, axis=1, join="inner").mean(axis=1)  # folds may have stopped early
    seconds = [json.loads((folder / "run.json").read_text())["seconds"] for folder in folders]
    metrics = predictions.summarise()
    aurocs = predictions.fold_aurocs
    values = {
        "best_val_auc": max(epochs.max(), aurocs.mean()),
        METRICS["auc"].column: metrics["auc"],
        "pooled_val_auc": metrics.get("pooled_auc", metrics["auc"]),
        "val_auc_low": metrics["auc_low"],
        "val_auc_high": metrics["auc_high"],
        "fold_auc_mean": aurocs.mean(),
        "fold_auc_sd": aurocs.std(ddof=1) if len(aurocs) > 1 else None,
        **{metric.column: metrics[name] for name, metric in METRICS.items() if name != "auc"},
    }
    return {
        "folds": run["folds"],
        "val_auc_interval": metrics["auc_interval"],
        **{f"val_{name}": metrics[name] for name in ("slides", "patients", "unmapped")},
        **{column: None if value is None else round(float(value), 6) for column, value in values.items()},
        "train_seconds": round(sum(fold["train"] + fold["evaluate"] for fold in seconds), 1),
    }
