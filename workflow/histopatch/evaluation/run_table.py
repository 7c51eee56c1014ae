"""The columns of the tables of runs (which run it is, its settings, what came out), and names in tables."""

import pandas as pd

# What the operating points are chosen for, in words.
POINTS = {
    "sensitivity_95": "95 % sensitivity",
    "specificity_95": "95 % specificity",
    "youden": "Youden's J",
}

NAMES = ["study", "run", "folder"]
RESULTS = [
    "validated_on", "folds", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high",
    "val_auc_interval", "val_slides", "fold_auc_mean", "fold_auc_sd", "difference_to_best", "p_value",
    "tied_with_best", "val_average_precision", "val_log_loss", "val_brier", "val_ece", "train_seconds",
]  # fmt: skip
# The columns of the studies' tables that come first; the other ones follow.
LEADING = [
    "run", "backbone", "epochs", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high",
    "tied_with_best", "validated_on", "lr", "weight_decay", "dropout", "scheduler", "pos_weight",
]  # fmt: skip


def settings_of(runs: pd.DataFrame) -> list[str]:
    """The columns of a table of runs that are settings."""
    return [column for column in runs if column not in (*NAMES, *RESULTS)]


def matched(runs: pd.DataFrame, setting: str) -> pd.Series:
    """A number for each run (N) that those share which differ in nothing but one setting."""
    others = [column for column in settings_of(runs) if column != setting]
    return runs.groupby(others, sort=False, dropna=False).ngroup()
