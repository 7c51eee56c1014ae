"""A split that was made elsewhere, in whatever layout it came."""

import re
from dataclasses import dataclass

import pandas as pd

from histopatch.data.folds import fold_name
from histopatch.data.images import Images
from histopatch.data.names import quote
from histopatch.errors import InputError

PATCHES = ["id", "label", "slide", "patient", "fold"]


@dataclass(frozen=True)
class GivenSplit:
    """Which side each patch is on.

    patches: PATCHES, a row for each patch and side that it is on; texts, empty where something is not known,
    `fold` being the name of a side. images: those that are there of them, by their ids, and perhaps others.
    notes: what was left out, in a phrase each. Raises InputError unless there are two sides.
    """

    where: str
    images: Images
    patches: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        sides = self.patches.fold.unique()
        if len(sides) < 2:
            found = f"all patches are of the part {quote(sides[0])}" if len(sides) else "no patch is listed"
            raise InputError(f"{self.where}: {found}; an audit compares two parts or more")


def side_names(parts: pd.Series) -> pd.Series:
    """What sides are called: words in lower case, numbers as the folds that they are in splits made here."""
    names = {part: _side_name(part) for part in parts.unique()}
    return parts.map(names)


def _side_name(part: str) -> str:
    whole = re.fullmatch(r"(-?\d+)(\.0+)?", part)
    return fold_name(int(whole[1])) if whole else part.lower()
