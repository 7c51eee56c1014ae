"""Which slide and which patient each patch is from, as far as the data set says."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.matching import fit_ids
from histopatch.data.names import quote
from histopatch.data.tables import Column, read_blocks
from histopatch.data.units import UNITS, spelling
from histopatch.database import Database
from histopatch.errors import InputError

SLIDE_NAMES = ("slide", "wsi")  # what the column is called unless the configuration says it
KNOWN = ["id", "slide", "patient"]


def read_slide_map(path: str, columns: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    """A slide map, CSV `id,slide` and perhaps `patient`, in blocks; empty texts where nothing is said.

    columns: other names of the columns, by `id`, `slide` and `patient`. Raises InputError if the file cannot
    be read.
    """
    return read_blocks(path, slide_columns(columns, "dataset.slide_columns"))


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
    table = table.reindex(columns=KNOWN, fill_value="").drop_duplicates()
    _check_once(table[table.id.duplicated(keep=False)], where)
    owners = _owners(table[["slide", "patient"]], where).set_index("slide").owner
    return table.assign(patient=table.patient.where(table.patient != "", table.slide.map(owners)))


def groups_in(known: Iterable[pd.DataFrame] | None) -> tuple[str, ...]:
    """Which of UNITS is known in blocks of rows that may lack columns, in this order; None has none."""
    found: set[str] = set()
    for rows in known or ():
        there = [name for name in UNITS if name in rows]
        found |= {name for name in there if (rows[name] != "").any()}
        if len(found) == len(there):
            break
    return tuple(name for name in UNITS if name in found)


def source_of(dataset: Format) -> str:
    """The file or folder that slides are from, or would be, for messages."""
    return (dataset.files("slides") or [dataset.where])[-1]


def find_slides(tables: Database, dataset: Format) -> None:
    """Give the table `patches` columns `slide` and `patient`; empty texts where they are not known.

    A file that knows slides may have more patches, and may write ids with or without the suffix of an image.
    tables: with `patches`, which has `place,id`. Raises InputError if the file knows none of the patches, if
    an id has two slides or patients in it, or a slide two patients.
    """
    known = dataset.slides()
    if known is None:
        tables.run("CREATE OR REPLACE TABLE patches AS SELECT *, '' AS slide, '' AS patient FROM patches")
        return
    where = source_of(dataset)
    tables.load("known", (rows.reindex(columns=KNOWN, fill_value="") for rows in known))
    _check_known(tables, where)
    of_slides = "SELECT slide, patient FROM known GROUP BY slide, patient ORDER BY min(place)"
    tables.load("owners", [_owners(tables.table(of_slides), where)])
    tables.run(
        """CREATE OR REPLACE TABLE known AS
        SELECT known.place, id, slide, coalesce(nullif(patient, ''), owner) AS patient
        FROM known JOIN owners USING (slide)"""
    )
    if tables.row("SELECT count(*) FROM patches ANTI JOIN known USING (id)")[0]:
        fit_ids(tables, "known", "patches")
        _check_known(tables, where)
    if not tables.row("SELECT count(*) FROM patches SEMI JOIN known USING (id)")[0]:
        (theirs,), (ours,) = (
            tables.row(f"SELECT arg_min(id, place) FROM {table}") for table in ("known", "patches")
        )
        such = "as there is none" if theirs is None else f"such as {quote(theirs)}"
        raise InputError(f"{where}: no id is that of a patch, {such}; patches have ids such as {quote(ours)}")
    tables.run(
        """CREATE TABLE slide_of AS
        SELECT id, any_value(slide) AS slide, any_value(patient) AS patient FROM known GROUP BY id"""
    )
    tables.run(
        """CREATE OR REPLACE TABLE patches AS
        SELECT patches.*, coalesce(slide, '') AS slide, coalesce(patient, '') AS patient
        FROM patches LEFT JOIN slide_of USING (id)"""
    )
    for table in ("known", "owners", "slide_of"):
        tables.run(f"DROP TABLE {table}")


def _check_known(tables: Database, where: str) -> None:
    """Raise InputError if an id has two slides or patients in the table `known`."""
    repeated = tables.table(
        """SELECT id, slide, patient FROM known SEMI JOIN (
            SELECT id FROM known GROUP BY id
            HAVING min(slide) <> max(slide) OR min(patient) <> max(patient) ORDER BY min(place) LIMIT 1
        ) USING (id) ORDER BY place"""
    )
    _check_once(repeated, where)


def check_mapped(tables: Database, group_by: str, unmapped: str, where: str) -> None:
    """Raise InputError where a split keeps slides or patients whole and patches have none.

    tables: with `patches` as `find_slides` makes it; unmapped: `stop`, or `own_group` where some patches may
    have none; where: the file that should know them.
    """
    if group_by not in UNITS:
        return
    count, missing, first = tables.row(
        f"""SELECT count(*), count(*) FILTER ({group_by} = ''), arg_min(id, place) FILTER ({group_by} = '')
        FROM patches"""
    )
    if missing == count:
        hint = "name a slide map in dataset.slides"
        if group_by == "patient":
            hint = "give the slide map in dataset.slides, or the table, a column `patient`"
        raise InputError(f"group_by: no {group_by} is known; {hint}")
    if unmapped == "stop" and missing:
        raise InputError(
            f"unmapped: {missing:,} of {count:,} patches have no {group_by} in {where}, the first is "
            f"{quote(first)}; add them there, or set `unmapped: own_group`"
        )


def _check_once(rows: pd.DataFrame, where: str) -> None:
    """Raise InputError for the first of rows KNOWN whose ids have several slides or patients."""
    if rows.empty:
        return
    rows = rows[rows.id == rows.id.iloc[0]]
    name = "slide" if rows.slide.nunique() > 1 else "patient"
    first, second = map(quote, rows[name].unique()[:2])
    raise InputError(
        f"{where}: the id {quote(rows.id.iloc[0])} appears twice, with the {name}s {first} and {second}; "
        "keep one row"
    )


def _owners(pairs: pd.DataFrame, where: str) -> pd.DataFrame:
    """The patient of each slide as `slide,owner`, an empty text where it is not known.

    pairs: each `slide` and `patient` that are in one row. Slides have the patient that they have in any row,
    however it spells them. Raises InputError if a slide has two patients.
    """
    owned = pairs[(pairs.slide != "") & (pairs.patient != "")]
    # Of each slide and patient the first name, however its other rows spell it.
    owned = owned.assign(spelled=spelling(owned.slide), owner=spelling(owned.patient))
    owned = owned.drop_duplicates(["spelled", "owner"])
    shared = owned[owned.duplicated("spelled", keep=False)]
    if len(shared):
        of_one = shared[shared.spelled == shared.spelled.iloc[0]]
        first, second = of_one.patient.iloc[:2]
        raise InputError(
            f"{where}: the slide {quote(of_one.slide.iloc[0])} is of the patient {quote(first)} and of "
            f"{quote(second)}; correct one of them, or give slides names that no two patients share"
        )
    slides = pd.Series(pairs.slide.unique(), dtype=str)
    owner_of = dict(zip(owned.spelled, owned.patient, strict=True))
    owners = [owner_of.get(name, "") for name in spelling(slides)]
    return pd.DataFrame({"slide": slides, "owner": pd.Series(owners, dtype=str)})
