"""Seed variation: how much the AUROC differs between runs that differ in nothing but their seed."""

import pandas as pd

from histopatch.evaluation.run_table import matched_groups
from histopatch.failures import finished
from histopatch.files import read_table, write_table

COLUMNS = ["study", "run", "seeds", "mean_val_auc", "sd_val_auc", "lowest_val_auc", "highest_val_auc"]


def seeds_table(runs: str, table: str) -> None:
    """Write one row, with COLUMNS, for each run of the table of all runs that was trained with several seeds.

    `run` is the name of the run with the lowest seed; the standard deviation is that of a sample (n - 1).
    """
    rows = finished(read_table(runs))
    repeated = [
        {
            "study": name,
            "run": group.loc[group.seed.idxmin(), "run"],
            "seeds": len(group),
            "mean_val_auc": round(group.final_val_auc.mean(), 6),
            "sd_val_auc": round(group.final_val_auc.std(ddof=1), 6),
            "lowest_val_auc": group.final_val_auc.min(),
            "highest_val_auc": group.final_val_auc.max(),
        }
        for name, study in rows.groupby("study", sort=False)
        for _, group in study.groupby(matched_groups(study, "seed"), sort=False)
        if len(group) > 1
    ]
    write_table(pd.DataFrame(repeated, columns=COLUMNS), table)
