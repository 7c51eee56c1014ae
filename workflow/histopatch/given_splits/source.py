"""What a split that was made elsewhere divides: images, and what is known of each besides the split."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from histopatch.data.formats.pcam import PCam
from histopatch.data.images import ImageFiles, Images, check_there_are_some
from histopatch.data.listing import find_images
from histopatch.data.names import quote, tidy, writable
from histopatch.data.slides import SLIDE_NAMES, check_slides
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError
from histopatch.given_splits.matching import match_images

ID_NAMES = ("path", "id", "image", "file", "filename")  # of the column that names an image
# What may be known of an image, and what the columns that say it are called.
FACTS = {
    "label": ("label",),
    "slide": (*SLIDE_NAMES, "slide_id"),
    "patient": ("patient", "patient_id", "case_id"),
}
HEADER = "its first line"  # where a user names a column


@dataclass(frozen=True)
class Source:
    """Images, and the FACTS of each by its id: texts, empty where nothing is known."""

    images: Images
    facts: pd.DataFrame


def read_source(folder: str, slides: str | None, labels: str | None) -> Source:
    """The image files anywhere below a folder, or those of PatchCamelyon's HDF5 files in it.

    slides: table `id,slide,patient`, of which one of the last two may be missing; labels: table `id,label`.
    Raises InputError for what cannot be read.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; DATA names the one with the images")
    source = _pcam(PCam(folder)) if is_pcam(folder) else _files(folder)
    for table, facts in ((slides, ["slide", "patient"]), (labels, ["label"])):
        if table:
            source.facts[facts] = _read_facts(table, facts, source.images)
    return source


def fact_columns(facts: Iterable[str] = FACTS) -> dict[str, Column]:
    """The columns that say something of an image, for a table that may have any of them."""
    return {fact: Column(HEADER, FACTS[fact], required=False) for fact in facts}


def is_pcam(folder: str) -> bool:
    """Whether PatchCamelyon's HDF5 files are in a folder."""
    return any(Path(folder).glob("camelyonpatch_level_2_split_*_x.h5*"))


def _files(folder: str) -> Source:
    files = find_images(folder)
    files = dict(zip(tidy(map(writable, files)), files, strict=True))
    images = ImageFiles(folder, [*files], [*files.values()])
    check_there_are_some(images)
    return Source(images, pd.DataFrame("", pd.Index(images.ids), [*FACTS], dtype=str))


def _pcam(dataset: PCam) -> Source:
    dataset.check()
    facts = pd.concat(dataset.labels())[["id", "label"]]
    if (slides := dataset.slides()) is not None:
        facts = facts.merge(pd.concat(slides), on="id", how="left")
    facts = facts.set_index("id").reindex(columns=[*FACTS]).astype(object).fillna("")
    return Source(dataset.images("train"), facts)


def _read_facts(path: str, facts: list[str], images: Images) -> pd.DataFrame:
    """Some FACTS of each image, from a table."""
    table = read_columns(path, {"id": Column(HEADER, ID_NAMES)} | fact_columns(facts))
    if not {*facts} & {*table}:
        raise InputError(f"{path}: there is no column {' or '.join(map(repr, facts))}; name it in {HEADER}")
    table["id"] = match_images(table.id, images.ids, path)
    table = table[table.id != ""].reindex(columns=["id", *facts], fill_value="")
    if table.empty:
        raise InputError(f"{path}: no id is that of an image, such as {quote(images.ids[0])}")
    table = check_labels(table, path) if facts == ["label"] else check_slides(table, path)
    return table.set_index("id")[facts].reindex(images.ids, fill_value="")


def check_labels(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table `id,label`, each id once. Raises InputError where an image has two labels."""
    table = table.drop_duplicates(["id", "label"])
    twice = table[table.id.duplicated()]
    if len(twice):
        first, second = map(quote, table.label[table.id == twice.id.iloc[0]].iloc[:2])
        raise InputError(f"{where}: {quote(twice.id.iloc[0])} has the labels {first} and {second}; keep one")
    return table
