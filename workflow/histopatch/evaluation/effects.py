"""Effects of settings: runs are compared with the runs of their study that differ in nothing else."""

import numpy as np
import pandas as pd

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Predictions, read_run_predictions
from histopatch.evaluation.run_table import matched_groups, settings_of
from histopatch.evaluation.seed_variance import seed_variance, widen
from histopatch.failures import finished
from histopatch.files import read_table, write_table
from histopatch.statistics.multiplicity import ALPHA

COLUMNS = [
    "study", "setting", "value", "runs", "mean_val_auc", "difference", "difference_low", "difference_high",
    "low_with_seeds", "high_with_seeds", "p_value", "verdict",
]  # fmt: skip


def effects_table(
    runs: list[dict], root: str, split_tables: dict[str, str], runs_table: str, table: str
) -> None:
    """Write one row, with COLUMNS, for each value of each setting, from the table of all runs.

    runs, root, split_tables: as in `read_run_predictions`. `difference` is a mean over matched runs: the
    AUROC with this value minus the mean AUROC with the other values, all other settings being equal. Its
    95 % interval and p-value are those of a contrast of paired predictions, by slide if slides are known,
    else with DeLong's covariance; both hold for all effects of the study together. Settings that never vary
    alone are not listed, as their effect cannot be separated. Runs that were validated on different patches
    cannot be paired and have no interval. `low_with_seeds` and `high_with_seeds` are the limits with the
    variation between seeds added, where the study repeats runs with several seeds.
    """
    rows = finished(read_table(runs_table))
    known = [run for run in runs if run["folder"] in {*rows.folder}]
    predictions = read_run_predictions(known, root, split_tables)
    effects = [_study_effects(study, predictions) for _, study in rows.groupby("study", sort=False)]
    write_table(pd.concat([pd.DataFrame(columns=COLUMNS), *effects]), table)


def _study_effects(study: pd.DataFrame, predictions: dict[str, Predictions]) -> pd.DataFrame:
    study = study.reset_index(drop=True)
    effects, weights = [], []
    for setting in settings_of(study):
        if setting == "seed":  # noise rather than an effect: see seeds.py
            continue
        groups = matched_groups(study, setting)
        size = groups.map(groups.value_counts())
        if study[setting].nunique(dropna=False) == 1 or (size == 1).all():
            continue
        for value, runs in study[size > 1].groupby(setting, sort=False):
            effects.append(
                {
                    "study": study.study[0],
                    "setting": setting,
                    "value": str(value),
                    "runs": len(runs),
                    "mean_val_auc": round(runs.final_val_auc.mean(), 6),
                }
            )
            weights.append(_weights(groups, runs.index))
    if not effects:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame(effects)
    table["difference"] = (np.array(weights) @ study.final_val_auc).round(6)
    table = table.join(_tests(study, predictions, weights))
    table = table.join(_with_seeds(study, table, weights))
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    return table[COLUMNS]


def _weights(groups: pd.Series, chosen: pd.Index) -> np.ndarray:
    """The contrast of the chosen runs with the other runs of their groups: a weight for each run."""
    weights = np.zeros(len(groups))
    for run in chosen:
        others = groups.index[(groups == groups[run]) & (groups.index != run)]
        weights[run] += 1 / len(chosen)
        weights[others] -= 1 / len(chosen) / len(others)
    return weights


def _tests(
    study: pd.DataFrame, predictions: dict[str, Predictions], weights: list[np.ndarray]
) -> pd.DataFrame:
    """Interval and p-value of each contrast; empty where runs cannot be paired."""
    columns = ["difference_low", "difference_high", "p_value"]
    tests = paired_contrasts([predictions[folder] for folder in study.folder], np.array(weights))
    rows = [(None, None, None) if test is None else (test.low, test.high, test.p_value) for test in tests]
    return pd.DataFrame(rows, columns=columns).astype(float).round(6)


def _with_seeds(study: pd.DataFrame, effects: pd.DataFrame, weights: list[np.ndarray]) -> pd.DataFrame:
    """The limits with the variation between seeds, empty where no run was repeated."""
    limits = pd.DataFrame(np.nan, effects.index, ["low_with_seeds", "high_with_seeds"])
    if known := seed_variance(study):
        given = (effects[name].to_numpy() for name in ("difference", "difference_low", "difference_high"))
        limits[:] = np.column_stack(widen(*given, np.array(weights), *known))
    return limits.round(6)


def _verdict(row) -> str:
    if pd.isna(row.p_value) and pd.notna(row.difference_low):
        return "not tested: too few slides, or no spread"
    if pd.isna(row.p_value):
        return "not tested: validated on different patches"
    if row.p_value > ALPHA:
        return "no evidence of a difference"
    return "higher" if row.difference > 0 else "lower"
