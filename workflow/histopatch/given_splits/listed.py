"""A table with a row for each patch: `id,fold`, `path,split` and the like."""

import pandas as pd

from histopatch.data.names import quote
from histopatch.data.slides import check_slides
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError
from histopatch.given_splits.matching import match_images
from histopatch.given_splits.source import FACTS, HEADER, ID_NAMES, Source, check_labels, fact_columns
from histopatch.given_splits.split import PATCHES, GivenSplit, side_names

PART_NAMES = ("fold", "split", "part", "set")


def read_listed(path: str, source: Source) -> GivenSplit:
    """Read a table of patches. Its columns `label`, `slide` and `patient` are used as far as it has them."""
    columns = {name: Column(HEADER, [name], required=False) for name in PART_NAMES}
    rows = read_columns(path, {"image": Column(HEADER, ID_NAMES)} | fact_columns() | columns)
    rows = rows.rename(columns={_part_column(path, rows): "part"})
    rows, notes = _complete(path, rows)
    rows["id"] = match_images(rows.image, source.images.ids, path)
    missing = rows[rows.id == ""]
    if len(missing) == len(rows):
        first = rows.iloc[0]
        raise InputError(
            f"{path}: none of {len(rows):,} images is there, such as {quote(first.image)} of line "
            f"{first.row}; in {source.images.where} images are called like {quote(source.images.ids[0])}: "
            "set DATA to the folder that has those of the table"
        )
    if len(missing):
        first = missing.iloc[0]
        notes.append(
            f"rows without an image, whose pixels are not compared: {len(missing):,} of {len(rows):,}, "
            f"such as {quote(first.image)} of line {first.row}"
        )
    rows["id"] = rows.id.where(rows.id != "", rows.image)
    patches = rows.assign(fold=side_names(rows.part))[["id", "fold"]].drop_duplicates()
    facts = _facts(path, rows).loc[patches.id]
    # What the table itself says counts first.
    facts = facts.where(facts != "", source.facts.reindex(patches.id, fill_value=""))
    patches = pd.concat([patches.set_index("id"), facts], axis=1).reset_index()[PATCHES]
    return GivenSplit(path, source.images, patches, tuple(notes))


def _part_column(path: str, rows: pd.DataFrame) -> str:
    there = [name for name in PART_NAMES if name in rows]
    if len(there) == 1:
        return there[0]
    if there:
        raise InputError(f"{path}: the columns {' and '.join(map(repr, there))} both name parts; keep one")
    raise InputError(f"{path}: no column says the part of a patch; call it {' or '.join(PART_NAMES)}")


def _complete(path: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows with a part, and how many have none. Raises InputError for a row that names no image."""
    unnamed = rows[rows.image == ""]
    if len(unnamed):
        raise InputError(f"{path}: line {unnamed.row.iloc[0]} names no image; give it one or remove the line")
    without = rows[rows.part == ""]
    if without.empty:
        return rows, []
    return rows[rows.part != ""].copy(), [
        f"rows without a part, which are left out: {len(without):,}, the first is line {without.row.iloc[0]}"
    ]


def _facts(path: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The FACTS that the table has of each image, by its id."""
    rows = rows.reindex(columns=["id", *FACTS], fill_value="")
    labels = check_labels(rows[["id", "label"]], path).set_index("id")
    return labels.join(check_slides(rows.drop(columns="label"), path).set_index("id"))
