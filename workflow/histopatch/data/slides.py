"""Which slide and which patient each patch is from, as far as the data set says."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.names import match_ids, quote
from histopatch.data.tables import Column, read_columns
from histopatch.data.units import UNITS, spelling
from histopatch.errors import InputError

SLIDE_NAMES = ("slide", "wsi")  # what the column is called unless the configuration says it
KNOWN = ["id", "slide", "patient"]


def read_slide_map(path: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """A slide map, CSV `id,slide` and perhaps `patient`, as a table KNOWN; empty texts where nothing is said.

    columns: other names of the columns, by `id`, `slide` and `patient`. Raises InputError if the file cannot
    be read or contradicts itself.
    """
    table = read_columns(path, slide_columns(columns, "dataset.slide_columns"))
    return check_slides(table, path)


def slide_columns(columns: Mapping[str, str], key: str) -> dict[str, Column]:
    """The columns of a slide map. columns: as of `read_slide_map`; key: where they are configured."""
    usual = {"id": ("id",), "slide": SLIDE_NAMES, "patient": ("patient",)}
    return {
        name: Column(
            f"{key}.{name}",
            [columns[name]] if name in columns else names,
            name != "patient" or name in columns,
        )
        for name, names in usual.items()
    }


def check_slides(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table KNOWN, each id once, from one that may lack `slide` or `patient`; where: for messages.

    Patches of a slide have its patient, even where their own row does not say it. Raises InputError if an id
    has two slides or patients, or a slide has two patients.
    """
    table = _once(table.reindex(columns=KNOWN, fill_value=""), where)
    owned = table[(table.slide != "") & (table.patient != "")].drop_duplicates(["slide", "patient"])
    if owned.empty:
        return table
    # Of each slide and patient the first name, however its other rows spell it.
    owned = owned.assign(slide=spelling(owned.slide), owner=spelling(owned.patient))
    owned = owned.drop_duplicates(["slide", "owner"])
    shared = owned[owned.duplicated("slide", keep=False)]
    if len(shared):
        slide = shared.slide.iloc[0]
        row, (first, second) = shared.index[0], shared.patient[shared.slide == slide].iloc[:2]
        raise InputError(
            f"{where}: the slide {quote(table.slide[row])} is of the patient {quote(first)} and of "
            f"{quote(second)}; correct one of them, or give slides names that no two patients share"
        )
    patient = spelling(table.slide).map(owned.set_index("slide").patient).fillna("")
    return table.assign(patient=table.patient.where(table.patient != "", patient))


def groups_in(known: pd.DataFrame | None) -> tuple[str, ...]:
    """Which of UNITS a table KNOWN knows, in this order."""
    if known is None:
        return ()
    return tuple(name for name in UNITS if (known[name] != "").any())


def source_of(dataset: Format) -> str:
    """The file or folder that slides are from, or would be, for messages."""
    return (dataset.files("slides") or [dataset.where])[-1]


def slides_of(ids: pd.Series, dataset: Format) -> pd.DataFrame:
    """The `slide` and `patient` of each patch, in the order of the ids; empty texts where they are not known.

    A file that knows slides may have more patches, and may write ids with or without the suffix of an image.
    Raises InputError if it knows none of the patches.
    """
    known = dataset.slides()
    if known is None:
        return pd.DataFrame("", index=range(len(ids)), columns=[*reversed(UNITS)])
    where = source_of(dataset)
    rows = _rows_of(ids, known)
    if (rows < 0).any():
        known = _once(known.assign(id=match_ids(known.id, ids)), where)
        rows = _rows_of(ids, known)
    if (rows < 0).all():
        theirs = f"such as {quote(known.id.iloc[0])}" if len(known) else "as there is none"
        raise InputError(
            f"{where}: no id is that of a patch, {theirs}; patches have ids such as {quote(ids.iloc[0])}"
        )
    unknown = pd.DataFrame("", index=[-1], columns=["slide", "patient"])
    found = pd.concat([known[["slide", "patient"]].reset_index(drop=True), unknown])
    return found.iloc[rows].reset_index(drop=True)  # -1 is the last


def _rows_of(ids: pd.Series, known: pd.DataFrame) -> np.ndarray:
    """The row of each id in a table KNOWN, -1 where there is none."""
    return pd.Index(known.id).get_indexer(ids)


def check_mapped(ids: pd.Series, found: pd.DataFrame, group_by: str, unmapped: str, where: str) -> None:
    """Raise InputError where a split keeps slides or patients whole and patches have none.

    found: from `slides_of`; unmapped: `stop`, or `own_group` where some patches may have none; where: the
    file that should know them.
    """
    if group_by not in UNITS:
        return
    missing = (found[group_by] == "").to_numpy()
    if missing.all():
        hint = "name a slide map in dataset.slides"
        if group_by == "patient":
            hint = "give the slide map in dataset.slides, or the table, a column `patient`"
        raise InputError(f"group_by: no {group_by} is known; {hint}")
    if unmapped == "stop" and missing.any():
        raise InputError(
            f"unmapped: {missing.sum():,} of {len(ids):,} patches have no {group_by} in {where}, the first "
            f"is {quote(ids.to_numpy()[missing][0])}; add them there, or set `unmapped: own_group`"
        )


def _once(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table KNOWN without repeated rows; InputError if an id has two slides or two patients."""
    if not table.id.duplicated().any():
        return table
    table = table.drop_duplicates()
    repeated = table[table.id.duplicated(keep=False)]
    if len(repeated):
        rows = repeated[repeated.id == repeated.id.iloc[0]]
        name = "slide" if rows.slide.nunique() > 1 else "patient"
        first, second = map(quote, rows[name].unique()[:2])
        raise InputError(
            f"{where}: the id {quote(rows.id.iloc[0])} appears twice, with the {name}s {first} and {second}; "
            "keep one row"
        )
    return table
