"""Folds: what the column `fold` of a split means.

The training on fold k validates on the patches of fold k and trains on those of all other folds and of
TRAIN_ONLY. Patches of HELD_OUT do neither: they are kept for the final measurement. A holdout split has one
fold, 0.
"""

import pandas as pd

from histopatch.files import read_table

TRAIN_ONLY, HELD_OUT = -1, -2

# The parts that a data set may give itself; those of TEST_PART have no label and are predicted only.
TRAIN_PART, VALIDATION_PART, HELD_OUT_PART, TEST_PART = "train", "validation", "held out", "test"
# What people call them, in lower case.
GIVEN = {
    "train": TRAIN_PART,
    "training": TRAIN_PART,
    "valid": VALIDATION_PART,
    "val": VALIDATION_PART,
    "validation": VALIDATION_PART,
    "held out": HELD_OUT_PART,
    "held_out": HELD_OUT_PART,
    "test": TEST_PART,
}


def read_split(split: str, index: str) -> pd.DataFrame:
    """The table of a split (`id,label,slide,fold`) with the `row` of each patch in the pack."""
    table, rows = read_table(split), read_table(index, ["id", "row"]).set_index("id").row
    return table.assign(row=rows.loc[table.id].to_numpy())


def parts(split: pd.DataFrame, fold: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a split (`id,label,slide,fold`) that train, and those that validate, for one fold."""
    validates = split.fold == fold
    return split[~validates & (split.fold != HELD_OUT)], split[validates]


def fold_name(fold: int) -> str:
    """The name of a fold in logs, tables and figures."""
    return {TRAIN_ONLY: "training", HELD_OUT: "held out"}.get(fold, f"fold {fold}")
