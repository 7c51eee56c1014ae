"""The audit of a split that was made elsewhere: what leaks between its sides. Nothing is trained."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

import histopatch.figures.audit as figure
from histopatch.data.images import ImageFiles, Images, commonest_size
from histopatch.data.names import quote
from histopatch.data.pack import pack_images
from histopatch.errors import InputError
from histopatch.files import read_table, write_json, write_table
from histopatch.given_splits.kept import fingerprint, keep
from histopatch.given_splits.split import GivenSplit
from histopatch.leakage.audit import count_sides, find_pairs, summarise
from histopatch.leakage.duplicates import duplicate_files

DPI = 150  # of the figure


@dataclass(frozen=True)
class Audited:
    """What an audit found: the report and the pairs of `leakage.audit`, and what it could not look at."""

    split: GivenSplit
    report: dict
    pairs: pd.DataFrame


def audit_split(split: GivenSplit, folder: Path, workers: int) -> Audited:
    """Audit a split and write what was found into a folder, with all that a figure of it needs.

    Raises InputError if a side has no image that can be compared.
    """
    array, index, aside, duplicates = (
        folder / f"pack.{kind}" for kind in ("npy", "index.parquet", "rejected.csv", "duplicates.csv")
    )
    write_table(split.patches, folder / "split.csv")
    images = _listed(split)
    size = _size(images)
    made_from = fingerprint(images, "data/pack.py")
    packed = *map(str, (array, index, aside)), workers
    keep([array, index, aside], made_from, partial(pack_images, images, size, *packed))
    split = _compared(split, read_table(index, ["id"]), read_table(aside))
    made_from += fingerprint(images, "leakage/duplicates.py")
    search = partial(duplicate_files, *map(str, (array, index, duplicates)), workers)
    keep([duplicates], made_from, search)
    pairs = find_pairs(split.patches, read_table(duplicates))
    report = summarise(count_sides(split.patches), pairs)
    write_table(pairs, folder / "audit.csv")
    write_json(report, folder / "audit.json")
    return Audited(split, report, pairs)


def draw(folder: Path, name: str) -> None:
    """Draw what `audit_split` left in a folder. name: of the split."""
    names = ("audit.json", "audit.csv", "pack.npy", "pack.index.parquet", "audit.png")
    figure.audit(*(str(folder / file) for file in names), DPI, name)


def _listed(split: GivenSplit) -> Images:
    """The images of a split without any that it does not list, except that HDF5 files are read as wholes."""
    if not isinstance(split.images, ImageFiles):
        return split.images
    listed = {*split.patches.id}
    chosen = [
        (id_, file) for id_, file in zip(split.images.ids, split.images.files, strict=True) if id_ in listed
    ]
    ids, files = zip(*chosen, strict=True)
    return replace(split.images, ids=ids, files=files, named=True, seen=False)


def _size(images: Images) -> int:
    try:
        return commonest_size(images)
    except InputError as error:
        raise InputError(str(error).removesuffix(", or set dataset.patch_size")) from None


def _compared(split: GivenSplit, index: pd.DataFrame, aside: pd.DataFrame) -> GivenSplit:
    """The split with a note on images set aside. Raises InputError for a side of which no image is left."""
    left = split.patches.id.isin(index.id)
    for side, some in left.groupby(split.patches.fold).any().items():
        if not some:
            of_side = split.patches.id[split.patches.fold == side]
            reasons = aside.reason[aside.id.isin(of_side)]
            why = f"the first is set aside: {reasons.iloc[0]}" if len(reasons) else "they are not there"
            raise InputError(
                f"{split.where}: no image of the part {quote(side)} can be compared with others; {why}"
            )
    if aside.empty:
        return split
    first = aside.iloc[0]
    note = f"images set aside: {len(aside):,}, such as {quote(first.file)} ({first.reason})"
    return replace(split, notes=(*split.notes, note))
