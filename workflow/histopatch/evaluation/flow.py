"""The flow of images, label rows, patches and slides: how many there are, and why others are left out.

What CONSORT and STARD ask for as a flow diagram, as a table; a split takes everything that is usable.
"""

import pandas as pd

from histopatch.data.clean import NO_LABEL, SET_ASIDE
from histopatch.data.folds import HELD_OUT, fold_name
from histopatch.data.formats.format import Format
from histopatch.data.slides import slides_of
from histopatch.data.units import spelling
from histopatch.files import read_table, write_table

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
    images = read_table(index, ["id"])
    aside, bad, patches = map(read_table, (set_aside, rejected, split))
    known = slides_of(pd.concat([images.id, aside.id], ignore_index=True), dataset)
    aside = aside.assign(reason=_set_aside(aside.reason), slide=known.slide[len(images) :].values)
    images = images.assign(slide=known.slide[: len(images)].values)
    images["reason"] = _why_not_used(images.id, patches, bad)
    files = pd.concat([images, aside[["id", "slide", "reason"]]], ignore_index=True)
    rows = bad[bad.row.notna()]
    rows = rows.assign(reason=[reason.partition(":")[0] for reason in rows.reason])
    steps = [
        _step("image", files),
        *(_step("image excluded", these, why) for why, these in _by_reason(files)),
        {"step": "label row", "count": len(rows) + len(patches)},
        *({"step": "row excluded", "reason": why, "count": len(these)} for why, these in _by_reason(rows)),
        _step("patch", patches),
        *(_step(fold_name(fold), side) for fold, side in _sides(patches)),
    ]
    flow = pd.DataFrame(steps, columns=COLUMNS).astype(
        dict.fromkeys(("count", "positive", "slides", "positive_slides"), "Int64")
    )
    if (known.slide == "").all():
        flow[["slides", "positive_slides"]] = pd.NA
    write_table(flow, table)


def _why_not_used(ids: pd.Series, patches: pd.DataFrame, bad: pd.DataFrame) -> pd.Series:
    """Why each usable image has no usable label, the empty text where it has one."""
    # Of an id with several rejected rows the first says why: a repeated row comes after what it repeats.
    reasons = dict(zip(bad.id[::-1], bad.reason[::-1], strict=True))
    used = {*patches.id}
    return pd.Series(
        ["" if name in used else reasons.get(name, NO_LABEL) for name in ids], ids.index, dtype=str
    )


def _set_aside(reasons: pd.Series) -> pd.Series:
    """Why images cannot be used, without the name of another file that only one of them has."""
    return pd.Series([f"{SET_ASIDE}: {reason.partition(' as ')[0]}" for reason in reasons], dtype=str)


def _by_reason(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows that are left out, by reason, the most common one first."""
    out = table[table.reason != ""]
    reasons = out.reason.value_counts(sort=True)
    return [(reason, out[out.reason == reason]) for reason in reasons.index]


def _sides(patches: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """The sides of a split with their patches: what only trains, the folds, and what is held out last."""
    sides = dict([*patches.groupby("fold")])
    return [(fold, sides[fold]) for fold in sorted(sides, key=lambda fold: (fold == HELD_OUT, fold))]


def _step(step: str, table: pd.DataFrame, reason: str = "") -> dict:
    counts = {"step": step, "reason": reason, "count": len(table), "slides": _slides(table)}
    if "label" in table:
        positive = table[table.label == 1]
        counts |= {"positive": len(positive), "positive_slides": _slides(positive)}
    return counts


def _slides(table: pd.DataFrame) -> int:
    names = table.slide.fillna("")
    return int(spelling(names[names != ""]).nunique())
