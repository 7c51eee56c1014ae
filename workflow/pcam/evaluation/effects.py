"""What each setting changed: runs are compared with runs of their study that differ in nothing else."""

import pandas as pd

from pcam.evaluation.compare import RESULTS
from pcam.files import read_table, write_table

COLUMNS = ["study", "setting", "value", "runs", "mean_val_auc", "difference"]
NOT_SETTINGS = ["study", "run", "folder", *RESULTS]


def effects_table(runs: str, table: str) -> None:
    """From the table of all runs to `study,setting,value,runs,mean_val_auc,difference`.

    `difference` is the mean over matched runs: the AUROC with this value minus the mean AUROC with the
    other values, all other settings being equal. Settings that never vary alone are not listed: nothing
    can be said of them.
    """
    rows = read_table(runs)
    effects = [_study_effects(name, study) for name, study in rows.groupby("study", sort=False)]
    write_table(pd.concat([pd.DataFrame(columns=COLUMNS), *effects]), table)


def _study_effects(name: str, study: pd.DataFrame) -> pd.DataFrame:
    settings = [column for column in study if column not in NOT_SETTINGS]
    varying = [column for column in settings if study[column].nunique() > 1]
    effects = []
    for setting in varying:
        others = [column for column in settings if column != setting]
        blocks = study.groupby(others, sort=False).final_val_auc
        size, total = blocks.transform("size"), blocks.transform("sum")
        matched = study[size > 1].copy()
        rest = (total - study.final_val_auc) / (size - 1)  # mean of the block's other runs
        matched["difference"] = (study.final_val_auc - rest)[size > 1]
        by_value = matched.groupby(setting)
        effects.append(
            pd.DataFrame(
                {
                    "runs": by_value.size(),
                    "mean_val_auc": by_value.final_val_auc.mean().round(6),
                    "difference": by_value.difference.mean().round(6),
                }
            )
            .rename_axis("value")
            .reset_index()
            .assign(study=name, setting=setting)[COLUMNS]
        )
    return pd.concat([pd.DataFrame(columns=COLUMNS), *effects])
