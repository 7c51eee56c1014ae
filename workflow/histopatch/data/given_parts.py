"""The parts that a data set gives itself: who trains, who validates, and what is held out."""

import numpy as np
import pandas as pd

from histopatch.data.folds import HELD_OUT_PART, TEST_PART, TRAIN_PART, VALIDATION_PART
from histopatch.data.formats.format import Format
from histopatch.errors import InputError
from histopatch.settings import Split


def parts_of(patches: pd.DataFrame, dataset: Format, split: Split) -> np.ndarray:
    """The part that the data set gives each patch, as in `data.folds.GIVEN`. patches: `id,label` (0 or 1).

    Raises InputError if the split also asks to draw what is given, if a patch is in no part or in two, or if
    a part lacks a class.
    """
    given = dataset.given_parts()
    given = given[given.part != TEST_PART].drop_duplicates()
    _check_keys(split, set(given.part))
    twice = given[given.id.duplicated(keep=False)]
    if len(twice):
        first, second = twice.part[twice.id == twice.id.iloc[0]].iloc[:2]
        raise InputError(f"parts: the patch {twice.id.iloc[0]!r} is in the parts {first!r} and {second!r}")
    parts = patches.id.map(given.set_index("id").part)
    if parts.isna().any():
        raise InputError(f"parts: the patch {patches.id[parts.isna()].iloc[0]!r} has no part")
    for part in dict.fromkeys((TRAIN_PART, *given.part)):
        count, positive = (parts == part).sum(), patches.label[parts == part].sum()
        if positive in (0, count):
            found = f"{'positive' if positive else 'negative'} patches only" if count else "no usable patch"
            raise InputError(
                f"parts: the part {part!r} has {found}; both classes are needed in each part, but there are "
                f"{positive:,} positive and {count - positive:,} negative patches"
            )
    return parts.to_numpy()


def _check_keys(split: Split, given: set[str]) -> None:
    """Raise InputError for a key that asks to draw a part that is given."""
    for key, asked, part in (
        ("held_out_fraction", split.held_out_fraction > 0, HELD_OUT_PART),
        ("folds", split.folds > 1, VALIDATION_PART),
    ):
        if asked and part in given:
            raise InputError(
                f"{key}: {getattr(split, key)} contradicts `parts: given`, as the data set itself gives the "
                f"part {part!r}; remove {key}, or set `parts: drawn`"
            )
