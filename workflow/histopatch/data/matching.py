"""Ids of two tables of a database, matched as `names.match_ids` does."""

import pandas as pd

from histopatch.data.names import SUFFIX, match_ids
from histopatch.database import Database


def fit_ids(
    tables: Database, table: str, known: str, all_strays: bool = False
) -> tuple[pd.DataFrame, pd.Series]:
    """Give ids of a table the suffix of the known ones, or take it, where that alone is the difference.

    table and known: tables with `id`, the first with `place` too. Returns strays, the rows that are not
    known, as `place,id,fit` in their order, `fit` being the id that each has now; and the known ids
    that equal a stray apart from a suffix or leading zeros. Both are in memory. all_strays: whether to
    return those that are like none, too.
    """
    tables.run(f"CREATE OR REPLACE MACRO stem(name) AS regexp_replace(name, '{SUFFIX.pattern}', '', 'i')")
    chosen = "" if all_strays else f"WHERE stem(id) IN (SELECT stem(id) FROM {known})"
    unknown = f"SELECT place, id FROM {table} ANTI JOIN {known} USING (id) {chosen}"
    tables.run(f"CREATE OR REPLACE TABLE strays AS {unknown}")
    strays = tables.table("SELECT place, id FROM strays ORDER BY place")
    alike = tables.table(
        f"""SELECT DISTINCT id FROM {known}
        WHERE stem(id) IN (SELECT stem(id) FROM strays) OR ltrim(id, '0') IN (SELECT id FROM strays)
        ORDER BY id"""
    ).id
    strays["fit"] = match_ids(strays.id, alike)
    changed = strays[strays.fit != strays.id]
    if len(changed):
        tables.load("fits", [changed[["fit"]].assign(stray=changed.place)])
        tables.run(f"UPDATE {table} SET id = fit FROM fits WHERE {table}.place = stray")
        tables.run("DROP TABLE fits")
    return strays, alike
