"""A folder that is itself divided: a folder for each part, or PatchCamelyon's files."""

import re

import pandas as pd

from histopatch.data.folds import GIVEN
from histopatch.data.formats.pcam import PCam
from histopatch.data.names import quote
from histopatch.errors import InputError
from histopatch.given_splits.source import FACTS, Source, is_pcam
from histopatch.given_splits.split import PATCHES, GivenSplit, side_names

NUMBERED = re.compile(r"(fold|split|part)[-_ ]?\d+")


def read_divided(root: str, source: Source) -> GivenSplit:
    """Read the parts from where images lie: `part/image`, `part/class/image` or `part/slide/class/image`.

    Parts are called as in `data.folds.GIVEN`, or are numbered folds. Labels and slides from tables count
    before those of folders.
    """
    if is_pcam(root):
        parts = pd.concat(PCam(root).given_parts(), ignore_index=True)
        patches = parts.rename(columns={"part": "fold"}).join(source.facts, on="id")
        return GivenSplit(root, source.images, patches[PATCHES])
    table = pd.DataFrame([_place(id_) for id_ in source.images.ids])
    is_part = table.part.str.lower().isin(GIVEN) | table.part.str.lower().str.fullmatch(NUMBERED)
    if not is_part.any():
        raise InputError(f"{root}: no folder is called like a part (train, valid, test) of those with images")
    facts = source.facts.reset_index(drop=True)
    table[[*FACTS]] = facts.where(facts != "", table.reindex(columns=facts.columns, fill_value=""))
    patches = table[is_part].assign(fold=side_names(table.part[is_part]))
    return GivenSplit(root, source.images, patches[PATCHES], tuple(_left_out(table[~is_part])))


def _place(id_: str) -> dict[str, str]:
    """What the folders say of an image."""
    part, *between = id_.split("/")[:-1] or [""]
    label = between[-1] if 0 < len(between) < 3 else ""
    return {"id": id_, "part": part, "label": label, "slide": between[0] if len(between) == 2 else ""}


def _left_out(others: pd.DataFrame) -> list[str]:
    if others.empty:
        return []
    example = quote(others.id.iloc[0])
    return [f"images in no folder of a part, which are left out: {len(others):,}, such as {example}"]
