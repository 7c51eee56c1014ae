"""Folds: what the column `fold` of a split means.

The training on fold k validates on the patches of fold k and trains on those of all other folds and of
TRAIN_ONLY. Patches of HELD_OUT do neither: they are kept for the final measurement. A holdout split has one
fold, 0.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from histopatch.data.pack_index import with_rows
from histopatch.files import compact, read_blocks

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
    """`label,slide,fold,row` of each patch of a split, in its order; `row` is that in the pack.

    Names are left out, as those of millions of patches take gigabytes; slides are categories, an empty text
    where unknown. split: its table; index: that of the pack. Raises InputError if the pack lacks a patch.
    """
    return with_rows(split, index, ["label", "slide", "fold"])


def read_sides(split: str) -> pd.DataFrame:
    """`fold,slide,patient` of each patch of a split, in its order; categories, empty texts where unknown."""
    return compact(split_blocks(split, ["fold"]))


def split_blocks(split: str | Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Columns of a split in blocks, with `slide` and `patient`, empty texts where unknown."""
    unknown = dict.fromkeys(("slide", "patient"), "")
    for rows in read_blocks(split):
        yield rows.reindex(columns=[*columns, *unknown], fill_value="").fillna(unknown)


def patches_of(split: str, fold: int) -> Iterator[pd.DataFrame]:
    """Yield `id,label` of the patches of a fold in blocks, in the order of `read_split`."""
    for rows in read_blocks(split, ["id", "label", "fold"]):
        yield rows.loc[rows.fold == fold, ["id", "label"]]


def parts(split: pd.DataFrame, fold: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a split (`read_split`) that train, and those that validate, for one fold."""
    validates = split.fold == fold
    return split[~validates & (split.fold != HELD_OUT)], split[validates]


def fold_name(fold: int) -> str:
    """The name of a fold in logs, tables and figures."""
    return {TRAIN_ONLY: "training", HELD_OUT: "held out"}.get(fold, f"fold {fold}")
