"""What each setting changed: runs are compared with runs of their study that differ in nothing else."""

import numpy as np
import pandas as pd

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Kept, read_runs
from histopatch.evaluation.run_table import matched, settings_of
from histopatch.files import read_table, write_table
from histopatch.statistics.multiplicity import LEVEL, holm

COLUMNS = [
    "study", "setting", "value", "runs", "mean_val_auc", "difference", "difference_low", "difference_high",
    "p_value", "verdict",
]  # fmt: skip


def effects_table(runs: list[dict], root: str, splits: dict[str, str], runs_table: str, table: str) -> None:
    """From the table of all runs and their predictions to a row for each value of each setting: COLUMNS.

    runs, root, splits: as in `kept.read_runs`. `difference` is the mean over matched runs: the AUROC with
    this value minus the mean AUROC with the other values, all other settings being equal. Its 95 % interval
    and p-value are of that contrast of paired predictions, by slide where slides are known, else DeLong's;
    p-values are adjusted by Holm over the study. Settings that never vary alone are not listed: nothing can
    be said of them. Runs that validate on other patches cannot be paired and have no interval.
    """
    rows = read_table(runs_table)
    kept = read_runs(runs, root, splits)
    effects = [_study_effects(study, kept) for _, study in rows.groupby("study", sort=False)]
    write_table(pd.concat([pd.DataFrame(columns=COLUMNS), *effects]), table)


def _study_effects(study: pd.DataFrame, kept: dict[str, Kept]) -> pd.DataFrame:
    study = study.reset_index(drop=True)
    effects, weights = [], []
    for setting in settings_of(study):
        if setting == "seed":  # noise rather than an effect: see repeats.py
            continue
        blocks = matched(study, setting)
        size = blocks.map(blocks.value_counts())
        if study[setting].nunique(dropna=False) == 1 or (size == 1).all():
            continue
        for value, group in study[size > 1].groupby(setting, sort=False):
            effects.append(
                {
                    "study": study.study[0],
                    "setting": setting,
                    "value": str(value),
                    "runs": len(group),
                    "mean_val_auc": round(group.final_val_auc.mean(), 6),
                }
            )
            weights.append(_weights(blocks, group.index))
    if not effects:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame(effects)
    table["difference"] = (np.array(weights) @ study.final_val_auc).round(6)
    table = table.join(_tests(study, kept, weights))
    table["p_value"] = _adjusted(table)
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    return table[COLUMNS]


def _weights(blocks: pd.Series, chosen: pd.Index) -> np.ndarray:
    """The contrast of the chosen runs with the other ones of their blocks: a weight for each run."""
    weights = np.zeros(len(blocks))
    for run in chosen:
        others = blocks.index[(blocks == blocks[run]) & (blocks.index != run)]
        weights[run] += 1 / len(chosen)
        weights[others] -= 1 / len(chosen) / len(others)
    return weights


def _tests(study: pd.DataFrame, kept: dict[str, Kept], weights: list[np.ndarray]) -> pd.DataFrame:
    """Interval and p-value of each contrast; nothing for those whose runs cannot be paired."""
    columns = ["difference_low", "difference_high", "p_value"]
    tests = paired_contrasts([kept[folder] for folder in study.folder], np.array(weights))
    rows = [(None, None, None) if test is None else (test.low, test.high, test.p_value) for test in tests]
    return pd.DataFrame(rows, columns=columns).astype(float).round(6)


def _adjusted(table: pd.DataFrame) -> pd.Series:
    """Holm's adjustment over the study. The two values of a setting that has two are one test, not two."""
    values = table.groupby("setting").value.transform("size")
    again = table.duplicated("setting") & (values == 2)
    family = table.p_value.notna() & ~again
    adjusted = pd.Series(np.nan, table.index)
    if family.any():
        adjusted[family] = holm(table.p_value[family].astype(float))
    return adjusted.mask(again, adjusted.shift()).round(6)


def _verdict(row) -> str:
    if pd.isna(row.p_value):
        return "not tested: validated on different patches"
    if row.p_value > LEVEL:
        return "no evidence of a difference"
    return "higher" if row.difference > 0 else "lower"
