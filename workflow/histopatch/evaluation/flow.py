"""The flow of images, label rows, patches and slides: how many there are, and why others are left out.

What CONSORT and STARD ask for as a flow diagram, as a table; a split takes everything that is usable.
"""

import pandas as pd

from histopatch.data.clean import NO_LABEL, SET_ASIDE
from histopatch.data.folds import HELD_OUT, fold_name
from histopatch.data.formats.format import Format
from histopatch.data.slides import find_slides
from histopatch.data.units import spelling
from histopatch.database import Database, database
from histopatch.files import read_blocks, write_table

COLUMNS = ["step", "reason", "count", "positive", "slides", "positive_slides"]


def flow_table(index: str, set_aside: str, rejected: str, split: str, dataset: Format, table: str) -> None:
    """Write the flow of patches into a split, one row per step and reason: COLUMNS.

    index and set_aside: the pack's tables of usable and of unusable images; rejected: `id,reason,row,label`
    from cleaning; split: CSV `id,label,slide,fold`; dataset: knows the slides, or not.

    Steps: `image` (all image files), `image excluded` for each reason, `label row` (all rows), `row excluded`
    for each reason, `patch` (images with a usable label), and a row for each side of the split, `training`,
    `fold 0`, … and `held out`. What is excluded and what is kept add up to the total, for images and for
    rows. `slides` counts those that the images, rows or patches are of, `positive_slides` those that have
    patches with label 1; empty where none is known. `positive` counts labels of 1. What depends on labels is
    empty where they are not known.
    """
    with database(table) as tables:
        tables.load("images", read_blocks(index, ["id"]))
        tables.load("aside", read_blocks(set_aside, ["id", "reason"]))
        tables.load("bad", read_blocks(rejected, ["id", "reason", "row"]))
        tables.load("split", read_blocks(split, ["id", "label", "slide", "fold"]))
        files, known = _files(tables, dataset)
        rows = tables.table(
            """SELECT split_part(reason, ':', 1) AS reason, count(*) AS count FROM bad WHERE row IS NOT NULL
            GROUP BY ALL ORDER BY min(place)"""
        )
        patches = tables.table(
            """SELECT fold, coalesce(slide, '') AS slide, count(*) AS count, sum(label)::BIGINT AS positive
            FROM split GROUP BY ALL"""
        )
    steps = [
        _step("image", files),
        *(_step("image excluded", these, why) for why, these in _by_reason(files)),
        {"step": "label row", "count": rows["count"].sum() + patches["count"].sum()},
        *(
            {"step": "row excluded", "reason": why, "count": these["count"].sum()}
            for why, these in _by_reason(rows)
        ),
        _step("patch", patches),
        *(_step(fold_name(fold), side) for fold, side in _sides(patches)),
    ]
    flow = pd.DataFrame(steps, columns=COLUMNS).astype(
        dict.fromkeys(("count", "positive", "slides", "positive_slides"), "Int64")
    )
    if not known:
        flow[["slides", "positive_slides"]] = pd.NA
    write_table(flow, table)


def _files(tables: Database, dataset: Format) -> tuple[pd.DataFrame, bool]:
    """How many image files there are, as `reason,slide,count`, and whether the slide of any is known.

    reason: why a file is not used, the empty text where it is.
    """
    # Of an id with several rejected rows the first says why: a repeated row comes after what it repeats. Of
    # images that were set aside the reason may end with the name of another file, which only one of them has.
    tables.run(
        """CREATE TABLE patches AS
        SELECT place, id, CASE WHEN split.id IS NULL THEN coalesce(reason, ?) ELSE '' END AS reason
        FROM images LEFT JOIN (SELECT id FROM split) AS split USING (id)
        LEFT JOIN (SELECT id, arg_min(reason, place) AS reason FROM bad GROUP BY id) USING (id)
        UNION ALL
        SELECT place + (SELECT count(*) FROM images), id, ? || ': ' || split_part(reason, ' as ', 1)
        FROM aside""",
        NO_LABEL, SET_ASIDE,
    )  # fmt: skip
    find_slides(tables, dataset)
    files = tables.table(
        "SELECT reason, slide, count(*) AS count FROM patches GROUP BY ALL ORDER BY min(place)"
    )
    return files, bool((files.slide != "").any())


def _by_reason(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows that are left out, by reason, the most common one first."""
    out = table[table.reason != ""]
    reasons = out.groupby("reason", sort=False)["count"].sum().sort_values(ascending=False, kind="stable")
    return [(reason, out[out.reason == reason]) for reason in reasons.index]


def _sides(patches: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """The sides of a split with their patches: what only trains, the folds, and what is held out last."""
    sides = dict([*patches.groupby("fold")])
    return [(fold, sides[fold]) for fold in sorted(sides, key=lambda fold: (fold == HELD_OUT, fold))]


def _step(step: str, table: pd.DataFrame, reason: str = "") -> dict:
    """A row of the flow. table: `slide,count` and perhaps `positive`, how many of them have label 1."""
    counts = {"step": step, "reason": reason, "count": table["count"].sum(), "slides": _slides(table)}
    if "positive" in table:
        with_positives = _slides(table[table.positive > 0])
        counts |= {"positive": table.positive.sum(), "positive_slides": with_positives}
    return counts


def _slides(table: pd.DataFrame) -> int:
    return int(spelling(table.slide[table.slide != ""]).nunique())
