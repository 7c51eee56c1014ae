"""Groups of patches that people name in a table: the site, scanner or stain of each patch or slide."""

import difflib
import logging
import re
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.names import fault, match_ids, quote
from histopatch.data.slides import SLIDE_NAMES, find_slides
from histopatch.data.tables import Column, column_names, read_columns
from histopatch.data.units import spelling, units_of
from histopatch.database import Database, database
from histopatch.errors import InputError
from histopatch.files import read_blocks, write_blocks

KEY = "dataset.groups"  # of the configuration
TAKEN = ("none", "slide", "patient", "appearance", "auto")  # what else patches are grouped by
PLAIN_NAME = re.compile(r"\w[\w -]*")  # of a column, as it stands in tables, figures and sentences
MOST = 50  # groups of a column


def read_groups(path: str) -> pd.DataFrame:
    """A table of groups: `id` or `slide` (or `wsi`), and a column of texts for each further one that it has.

    The column `id` says whose groups these are, where there is none the column of the slide. Empty texts
    where nothing is said. Raises InputError if the file cannot be read, has neither or nothing else, names
    somebody twice, or has a column with more than MOST groups.
    """
    names = column_names(path, {"id": Column(KEY, ("id", *SLIDE_NAMES))})
    keys = {name.casefold(): name for name in reversed(names) if name.casefold() in ("id", *SLIDE_NAMES)}
    if not keys:
        raise InputError(
            f"{path}: there is no column 'id' or 'slide' that says whose groups these are, the first line "
            f"has {', '.join(map(quote, names[:10]))}; add one"
        )
    own, key = ("id", keys["id"]) if "id" in keys else ("slide", next(iter(keys.values())))
    groupings = [name for name in names if name not in keys.values()]
    for name in groupings:
        _check_name(path, name)
    if not groupings:
        raise InputError(f"{path}: there is no column of groups beside {quote(key)}, such as 'site'; add one")
    columns = {own: Column(KEY, [key])} | {f"of {name}": Column(KEY, [name]) for name in groupings}
    table = read_columns(path, columns)
    _check_rows(path, table, own)
    table = table.drop(columns="row").rename(columns=lambda name: name.removeprefix("of "))
    for name in groupings:
        _check_values(path, name, table[name])
    return table


def _check_name(path: str, name: str) -> None:
    if name.casefold() in ("id", *SLIDE_NAMES):
        raise InputError(f"{path}: there are two columns {quote(name)}, in whatever case; keep one")
    if not PLAIN_NAME.fullmatch(name):
        raise InputError(
            f"{path}: a column is called {quote(name)}; call it by letters, digits, blanks, `_` and `-` only"
        )
    if name.casefold() in TAKEN:
        raise InputError(
            f"{path}: the column {quote(name)} has a name that is taken; rename it, or take it out "
            "(slides and patients are named in dataset.slides)"
        )


def _check_rows(path: str, table: pd.DataFrame, own: str) -> None:
    if (table[own] == "").any():
        raise InputError(f"{path}: line {table.row[table[own] == ''].iloc[0]} names no {own}; fill it in")
    names = spelling(table[own]) if own == "slide" else table[own]
    twice = table[names.duplicated(keep=False)]
    if twice.empty:
        return
    first, second = (twice[names[twice.index] == names[twice.index[0]]].iloc[row] for row in (0, 1))
    differing = [name for name in table.columns[2:] if first[name] != second[name]]
    saying = ""
    if differing:
        name = differing[0]
        saying = f", with the {name.removeprefix('of ')} {quote(first[name])} and {quote(second[name])}"
    raise InputError(
        f"{path}: the {own} {quote(first[own])} is there twice, in lines {first.row} and {second.row}"
        f"{saying}; keep one row"
    )


def _check_values(path: str, name: str, values: pd.Series) -> None:
    distinct = values[values != ""].unique()
    if len(distinct) == 0:
        raise InputError(f"{path}: the column {quote(name)} is empty; fill it in, or take it out")
    if len(distinct) > MOST:
        raise InputError(
            f"{path}: the column {quote(name)} has {len(distinct):,} different values, more than the {MOST} "
            "that can be compared; put them into ranges, or take the column out"
        )
    for value in distinct:
        if why := fault(value):
            raise InputError(f"{path}: the column {quote(name)} has {quote(value)}: {why}; rename it")


def check_known(path: str, groups: pd.DataFrame, ids: pd.Series, slides: pd.Series) -> None:
    """Raise InputError where a table of `read_groups` names a patch or slide that the data set lacks.

    ids, slides: all that the data set has, used or not; of the slides, empty texts count as none.
    """
    own = _own(groups)
    if own == "slide" and (slides == "").all():
        raise InputError(f"{path}: names slides, but no slide is known; name a slide map in dataset.slides")
    known = ids if own == "id" else slides[slides != ""]
    there = _spelled(match_ids(groups.id, known) if own == "id" else groups.slide, own).isin(
        _spelled(known, own)
    )
    if not there.all():
        name = groups[own][~there].iloc[0]
        close = difflib.get_close_matches(name, known.unique()[:10_000], n=1)
        raise InputError(
            f"{path}: {(~there).sum():,} of {len(groups):,} {own}s are not in the data set, the first is "
            f"{quote(name)}"
            + (f" (did you mean {quote(close[0])}?)" if close else "")
            + "; correct it, or take "
            "its row out"
        )


def groups_of(tables: Database, groups: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield in blocks the `id` of each patch, and a column of texts for each of a table of `read_groups`.

    tables: with `patches`, which has `place,id,slide`, the last an empty text where unknown. Texts are empty
    where the table says nothing.
    """
    query = "SELECT id, slide FROM patches ORDER BY place"
    # Whether an id of the table fits one patch only, with another suffix, can be said of all of them.
    for patches in [tables.table(query)] if _own(groups) == "id" else tables.blocks(query):
        yield pd.concat([patches[["id"]], _matched(patches, groups)], axis=1)


def _matched(patches: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    own = _own(groups)
    names = match_ids(groups.id, patches.id) if own == "id" else groups.slide
    rows = groups.drop(columns=own).set_index(_spelled(names, own).to_numpy())
    if rows.index.has_duplicates:
        twice = rows.index[rows.index.duplicated()][0]
        raise InputError(f"{KEY}: the {own} {quote(twice)} is there with and without a suffix; keep one row")
    found = rows.reindex(_spelled(patches[own], own)).fillna("")
    return found.set_axis(patches.index)


def write_groups(labels: str, table: str, dataset: Format, groups: str) -> None:
    """Write the groups of the clean patches (CSV `id,label`) as CSV `id,group,value`.

    There is a row for each patch and column of the table of `read_groups`: `group` is the column, and `value`
    is empty where it is unknown.
    """
    known = read_groups(table)
    with database(groups) as tables:
        tables.load("patches", read_blocks(labels, ["id"]))
        find_slides(tables, dataset)
        write_blocks(_named(tables, known), groups)


def _named(tables: Database, groups: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield `id,group,value` of the patches of a database, a column of the table of groups after the other.

    Warns of patches that are in no group of a column.
    """
    own = _own(groups)
    whole = [*groups_of(tables, groups)] if own == "id" else None
    for name in groups.columns.drop(own):
        count = missing = 0
        for rows in whole or groups_of(tables, groups[[own, name]]):
            yield rows[["id"]].assign(group=name, value=rows[name])
            count, missing = count + len(rows), missing + int((rows[name] == "").sum())
        if missing:
            logging.warning("%d of %d patches have no %s in %s", missing, count, quote(name), KEY)


def read_named(path: str, name: str) -> Iterator[pd.DataFrame]:
    """Yield `id,value` of a column from the table that `write_groups` wrote, in blocks."""
    for rows in read_blocks(path):
        yield rows.loc[rows.group == name, ["id", "value"]]


def values_of(tables: Database, known: Iterable[pd.DataFrame], where: str) -> pd.Series:
    """The value of each patch, in their order, as a category; an empty text where it is unknown.

    tables: with `patches`, which has `place,id`; known: blocks of `id,value` from the table `where`, each id
    once. Raises InputError if a patch is not there.
    """
    tables.load("known", known, {"id": "VARCHAR", "value": "VARCHAR"})
    (missing,) = tables.row("SELECT arg_min(id, place) FROM patches ANTI JOIN known USING (id)")
    if missing is not None:
        raise InputError(f"{where}: the patch {missing!r} is not there; remove it and make it again")
    tables.run(
        """CREATE TABLE valued AS SELECT patches.place, coalesce(value, '') AS value
        FROM patches JOIN known USING (id)"""
    )
    values = tables.compact("SELECT value FROM valued ORDER BY place").value
    for table in ("known", "valued"):
        tables.run(f"DROP TABLE {table}")
    return values


def by_column(group_by: str) -> bool:
    """Whether a split is grouped by a column of the table."""
    return group_by not in TAKEN


def _own(groups: pd.DataFrame) -> str:
    return "id" if "id" in groups else "slide"


def _spelled(names: pd.Series, own: str) -> pd.Series:
    return spelling(names) if own == "slide" else names


def units_of_groups(patches: pd.DataFrame, values: pd.Series, name: str, unmapped: str) -> np.ndarray:
    """What stays on one side of a split by a column of the table: a number for each patch.

    patches: `slide` and `patient`, empty texts where unknown; values: the group of each; name: of the column.
    A patch without one is of the group that others of its slide or patient have; where none has one, they
    are a unit by themselves if unmapped is `own_group`. Raises InputError otherwise, and where a slide or a
    patient is in two groups, so that neither can be held out whole.
    """
    units = units_of(patches, "patient")
    named = (values != "").to_numpy()
    of_unit = pd.DataFrame({"unit": units[named], "value": values[named]}).drop_duplicates()
    twice = of_unit[of_unit.unit.duplicated(keep=False)]
    if len(twice):
        unit = twice.unit.iloc[0]
        first, second = twice.value[twice.unit == unit].iloc[:2]
        row = patches[units == unit].iloc[0]
        kind = "patient" if row.patient else "slide"
        raise InputError(
            f"group_by: the {kind} {quote(row[kind])} has patches with the {name} {quote(first)} and "
            f"{quote(second)}; give it one in {KEY}, or group by {kind}"
        )
    codes = pd.Series(pd.factorize(of_unit.value)[0], of_unit.unit).reindex(units).to_numpy()
    missing = np.isnan(codes)
    if unmapped == "stop" and missing.any():
        raise InputError(
            f"unmapped: {missing.sum():,} of {len(patches):,} patches have no {name} in {KEY}; add them "
            "there, or set `unmapped: own_group`"
        )
    return np.where(missing, len(of_unit) + units, codes).astype(int)
