"""Cleaning: from the label file and the index of the pack to one row per usable, labelled image."""

import logging

import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.matching import fit_ids
from histopatch.data.names import fault, quote, spoiled
from histopatch.database import Database, database
from histopatch.errors import InputError
from histopatch.files import read_blocks, write_blocks, write_json
from histopatch.settings import Cleaning

# Reasons that concern the image; all others concern the label row.
NO_IMAGE, NO_LABEL, NEAR_BLANK, SET_ASIDE = "no image", "no label", "near blank", "image set aside"
EXAMPLES = 5  # ids that the summary names


def clean_files(
    dataset: Format,
    index: str,
    set_aside: str,
    cleaning: Cleaning,
    clean: str,
    rejected: str,
    summary: str,
) -> None:
    """Clean the labels of a data set: write `clean` (CSV `id,label`), `rejected` (CSV) and `summary` (JSON).

    index and set_aside: the pack's tables of usable and of unusable images. `rejected` has a row for each
    label row and each image that is left out: `id,reason,row,label`, where `row` is the line in the label
    file, or what else the data set counts. Raises InputError if a class has no usable patch, or if something
    is rejected that `cleaning` says to stop for.
    """
    labels = dataset.where
    with database(clean) as tables:
        tables.load("rows", map(_with_faults, dataset.labels()))
        tables.load("images", read_blocks(index, ["id", "mean", "std"]))
        tables.load("aside", read_blocks(set_aside))
        _fit_to_images(tables, labels)
        judge(tables, cleaning)
        _stop_if_asked(tables, cleaning, labels)
        counts = _summary(tables, cleaning)
        if min(counts["after"]["negative"], counts["after"]["positive"]) == 0:
            commonest = tables.table(
                "SELECT reason FROM bad GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 1"
            )
            raise InputError(
                f"{labels}: both classes are needed, but the usable rows ({counts['after']['patches']} of "
                f"{counts['before']['label_rows']}) lack at least one"
                + "".join(f"; the most common reason for rejection is {why!r}" for why in commonest.reason)
            )
        kept = "SELECT id, label::TINYINT AS label FROM judged WHERE reason = '' ORDER BY place"
        write_blocks(tables.blocks(kept), clean)
        bad = tables.blocks("SELECT id, reason, row, label FROM bad ORDER BY place")
        write_blocks((block.astype({"row": "Int64"}) for block in bad), rejected)
        write_json({"synthetic": dataset.name == "synthetic"} | counts, summary)
        logging.info(
            "%d of %d label rows are usable", counts["after"]["patches"], counts["before"]["label_rows"]
        )
        _warn(tables, cleaning, labels, rejected)


def _with_faults(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(fault=pd.Series([fault(name) for name in rows.id], rows.index, dtype=str))


def _fit_to_images(tables: Database, labels: str) -> None:
    """Give `rows` the ids that the images have, where a suffix is the only difference; and warn."""
    tables.run("CREATE VIEW known AS SELECT id FROM images UNION ALL SELECT id FROM aside")
    strays, alike = fit_ids(tables, "rows", "known", all_strays=True)
    changed = strays[strays.fit != strays.id]
    if len(changed):
        logging.warning(
            "%s: %d ids differ from those of the images by a suffix only and were taken, such as %s for %s",
            labels, len(changed), quote(changed.id.iloc[0]), quote(changed.fit.iloc[0]),
        )  # fmt: skip
    for sentence in spoiled(strays.fit, alike):
        logging.warning("%s: %s", labels, sentence)


def judge(tables: Database, cleaning: Cleaning) -> None:
    """Make the tables `judged`, the label rows with a `reason` to reject each or an empty text, and `bad`.

    The first reason that applies is taken. Of equal rows the first one is kept; an id with both labels loses
    all its rows. `bad` has `place,id,reason,row,label`: what is rejected, then images without a label row,
    the usable ones first, of those that were set aside the ones whose id no usable image has.

    tables: `rows` (`place,row,id,label,fault`), `images` (`place,id,mean,std`), `aside` (`place,id,reason`).
    """
    tables.run(
        """CREATE TABLE repeated AS
        SELECT id, min(place) AS earliest, min(label) <> max(label) AS conflicting
        FROM rows WHERE label IN ('0', '1') AND id <> '' GROUP BY id HAVING count(*) > 1"""
    )
    tables.run("CREATE TABLE unread AS SELECT id, first(reason ORDER BY place) AS why FROM aside GROUP BY id")
    tables.run(
        """CREATE TABLE judged AS
        SELECT rows.place, rows.id, rows.row, rows.label, images.std, CASE
            WHEN rows.id = '' THEN 'missing id'
            WHEN fault <> '' THEN fault
            WHEN label = '' THEN 'missing label'
            WHEN label NOT IN ('0', '1') THEN 'label is not 0 or 1'
            WHEN conflicting THEN 'conflicting labels'
            WHEN rows.place > earliest THEN 'duplicate row'
            WHEN images.id IS NULL AND why IS NOT NULL THEN ? || ': ' || why
            WHEN images.id IS NULL THEN ?
            WHEN std < ? AND ? THEN ?
            ELSE '' END AS reason
        FROM rows LEFT JOIN repeated USING (id) LEFT JOIN images USING (id) LEFT JOIN unread USING (id)""",
        SET_ASIDE, NO_IMAGE, cleaning.near_blank_std, cleaning.near_blank == "reject", NEAR_BLANK,
    )  # fmt: skip
    tables.run(
        """CREATE TABLE bad AS
        SELECT place, id, reason, row, label FROM judged WHERE reason <> ''
        UNION ALL
        SELECT place + (SELECT count(*) FROM rows), id, ?, NULL, NULL FROM images ANTI JOIN rows USING (id)
        UNION ALL
        SELECT place + (SELECT count(*) FROM rows) + (SELECT count(*) FROM images), id, ? || ': ' || reason,
            NULL, NULL
        FROM aside ANTI JOIN rows USING (id) ANTI JOIN images USING (id)""",
        NO_LABEL, SET_ASIDE,
    )  # fmt: skip


KIND = "split_part(reason, ':', 1)"  # a reason without the name of a file


def _stop_if_asked(tables: Database, cleaning: Cleaning, labels: str) -> None:
    """Raise InputError for the first rejection that the settings say to stop for."""
    of_images = f"{KIND} IN ('{SET_ASIDE}', '{NO_LABEL}', '{NEAR_BLANK}')"
    for key, chosen in (("bad_rows", f"NOT {of_images}"), ("bad_images", of_images)):
        if getattr(cleaning, key) != "stop":
            continue
        first = tables.table(f"FROM bad WHERE {chosen} ORDER BY place LIMIT 1")
        if len(first):
            (count,) = tables.row(f"SELECT count(*) FROM bad WHERE {chosen}")
            raise InputError(
                f"{labels}: cleaning.{key} is `stop` and there are {count}: the first is "
                f"{_place(first.iloc[0], labels)} ({first.reason.iloc[0]}); correct them or set it to "
                "`reject`"
            )


def _warn(tables: Database, cleaning: Cleaning, labels: str, rejected: str) -> None:
    """Say what is left out, with one of each kind, and which patches show hardly anything."""
    kinds = tables.table(
        f"""SELECT {KIND} AS kind, count(*) AS count, arg_min(id, place) AS id, arg_min(row, place) AS row
        FROM bad GROUP BY kind ORDER BY min(place)"""
    )
    if len(kinds):
        shown = [f"{kind.kind}: {kind.count} (first: {_place(kind, labels)})" for kind in kinds.itertuples()]
        logging.warning(
            "rejected rows or images: %d, namely %s; see %s", kinds["count"].sum(), ", ".join(shown), rejected
        )
    blank, examples = _near_blank(tables, cleaning)
    if blank and cleaning.near_blank == "keep":
        logging.warning(
            "near-blank patches that are used all the same: %d, such as %s (mean %.0f of 255); set "
            "cleaning.near_blank: reject to leave them out",
            blank, quote(examples.id.iloc[0]), examples["mean"].iloc[0],
        )  # fmt: skip


def _place(row, labels: str) -> str:
    """An id in quotes, and where its row is if it has one."""
    unit = "line" if labels.endswith((".csv", ".tsv")) else "row"
    return quote(row.id) + (f" in {unit} {row.row:.0f}" if pd.notna(row.row) else "")


def _near_blank(tables: Database, cleaning: Cleaning) -> tuple[int, pd.DataFrame]:
    """How many images show hardly anything, and EXAMPLES of them as `id,mean`."""
    (count,) = tables.row("SELECT count(*) FROM images WHERE std < ?", cleaning.near_blank_std)
    first = f"SELECT id, mean FROM images WHERE std < ? ORDER BY place LIMIT {EXAMPLES}"
    return count, tables.table(first, cleaning.near_blank_std)


def _summary(tables: Database, cleaning: Cleaning) -> dict:
    rows, images, aside = (
        tables.row(f"SELECT count(*) FROM {name}")[0] for name in ("rows", "images", "aside")
    )
    negative, positive, blank_used = tables.row(
        """SELECT count(*) FILTER (label = '0'), count(*) FILTER (label = '1'), count(*) FILTER (std < ?)
        FROM judged WHERE reason = ''""",
        cleaning.near_blank_std,
    )
    kinds = tables.table(
        f"SELECT {KIND} AS kind, count(*) AS count FROM bad GROUP BY kind ORDER BY count DESC, min(place)"
    )
    return {
        "before": {"label_rows": rows, "images": images + aside},
        "after": {"patches": negative + positive, "negative": negative, "positive": positive},
        "images_set_aside": aside,
        "near_blank": {"used": blank_used, "examples": _near_blank(tables, cleaning)[1].id.tolist()},
        "rejected": dict(zip(kinds.kind, kinds["count"].tolist(), strict=True)),
    }
