"""Which slide and which patient each patch is from, as far as the data set says."""

from collections.abc import Mapping

import pandas as pd

from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError

SLIDE_NAMES = ("slide", "wsi")  # what the column is called unless the configuration says it
KNOWN = ["id", "slide", "patient"]


def read_slide_map(path: str, columns: Mapping[str, str]) -> pd.DataFrame:
    """A slide map, CSV `id,slide` and perhaps `patient`, as a table KNOWN; empty texts where nothing is said.

    columns: other names of the columns, by `id`, `slide` and `patient`. Raises InputError if the file cannot
    be read or an id is in it twice.
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
    """A table KNOWN from one that may lack `patient`. Raises InputError if it contradicts itself."""
    table = table.reindex(columns=KNOWN, fill_value="")
    repeated = table.id[table.id.duplicated()]
    if len(repeated):
        raise InputError(f"{where}: the id {repeated.iloc[0]!r} appears twice; keep one row")
    return table


def groups_in(known: pd.DataFrame | None) -> tuple[str, ...]:
    """Which of `patient` and `slide` a table KNOWN knows, in this order."""
    if known is None:
        return ()
    return tuple(name for name in ("patient", "slide") if (known[name] != "").any())


def slides_of(ids: pd.Series, known: pd.DataFrame | None, group_by: str, unmapped: str) -> pd.DataFrame:
    """The `slide` and `patient` of each patch, empty texts where they are not known.

    known: the table KNOWN, or None where the data set says nothing. Raises InputError where a split keeps
    slides or patients whole, stops at patches without one (`unmapped`), and there are some.
    """
    if known is None:
        known = pd.DataFrame(columns=KNOWN, dtype=str)
    found = known.set_index("id").reindex(ids).fillna("").reset_index(drop=True)
    if group_by in ("slide", "patient"):
        missing = (found[group_by] == "").to_numpy()
        if missing.all():
            raise InputError(f"group_by: no {group_by} is known; name a slide map in dataset.slides")
        if unmapped == "stop" and missing.any():
            raise InputError(
                f"unmapped: {missing.sum()} of {len(ids)} patches have no {group_by}, the first is "
                f"{ids.to_numpy()[missing][0]!r}; add them to the slide map, or set `unmapped: own_group`"
            )
    return found
