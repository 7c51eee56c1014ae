"""How many patches of each class a split needs, so that no later step refuses what it gets."""

import math

import numpy as np

from histopatch.data.folds import HELD_OUT
from histopatch.errors import InputError
from histopatch.settings import Split

CLASSES = ("negative", "positive")  # by label
TO_HALVE = 2  # one patch of a class for choosing a threshold and one for reporting it


def check_possible(labels: np.ndarray, groups: np.ndarray | None, split: Split) -> None:
    """Raise InputError if no draw can give every part of a split patches of both classes.

    labels: N of 0 and 1; groups: the group of each patch as a number where groups are kept whole and known,
    else None. It counts and draws nothing, so it is cheap.
    """
    held_out = bool(split.held_out_fraction)
    if split.folds > 1:
        key, parts = "folds", {"in each fold": split.folds}
    else:
        key, parts = "validation_fraction", {"to validate": 1 if held_out else TO_HALVE, "to train": 1}
    parts |= {"to hold out": 1} if held_out else {}
    impossible = f"{key}: {getattr(split, key)} is impossible"
    needed = ", ".join(f"{1 if what == 'in each fold' else count} {what}" for what, count in parts.items())
    for label, name in enumerate(CLASSES):
        count = int((labels == label).sum())
        if count < sum(parts.values()):
            raise InputError(
                f"{impossible}: there are only {count} patches of a class ({name}), and at least "
                f"{sum(parts.values())} are needed: {needed}"
            )
        if groups is not None:
            places, sides = (
                len(np.unique(groups[labels == label])),
                split.folds + held_out + (split.folds == 1),
            )
            if places < sides:
                raise InputError(
                    f"{impossible}: there are too few groups of patches to have both classes on both sides: "
                    f"{name} patches are in {places} of them, and at least {sides} are needed"
                )
        elif (
            split.folds == 1
            and not held_out
            and split.group_by == "none"
            and not split.keep_duplicates_together
        ):
            drawn = math.ceil(split.validation_fraction * len(labels))
            _check_halves(min(count, math.ceil(drawn * count / len(labels))), drawn, name, split)


def check_validation(labels: np.ndarray, folds: np.ndarray, split: Split) -> None:
    """Raise InputError if nothing is held out and the patches that validate cannot be halved by class."""
    if split.folds > 1 or (folds == HELD_OUT).any():
        return
    validation = labels[folds == 0]
    for label, name in enumerate(CLASSES):
        _check_halves(int((validation == label).sum()), len(validation), name, split)


def _check_halves(count: int, patches: int, name: str, split: Split) -> None:
    if count < TO_HALVE:
        be = "is" if count == 1 else "are"
        key = (
            "parts: given" if split.parts == "given" else f"validation_fraction: {split.validation_fraction}"
        )
        raise InputError(
            f"{key} is impossible: of the {patches:,} patches that validate {count} {be} {name}, and at "
            f"least {TO_HALVE} are needed, one to choose thresholds and one to report them; let more patches "
            "validate, use folds, or hold patches out"
        )
