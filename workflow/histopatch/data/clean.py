"""Cleaning: from the label file and the pack's index to one row per usable, labelled image."""

import logging

import pandas as pd

from histopatch.errors import InputError
from histopatch.files import read_table, write_json, write_table

# Reasons that speak of the image; all others speak of the label row.
NO_IMAGE, NO_LABEL, NEAR_BLANK, SET_ASIDE = "no image", "no label", "near blank", "image set aside"


def clean_files(
    labels: str,
    index: str,
    set_aside: str,
    rules: dict,
    clean: str,
    rejected: str,
    summary: str,
) -> None:
    """Clean a label file: the three tables that come of it are `clean`, `rejected` and `summary`.

    labels: CSV `id,label`; index and set_aside: the pack's tables of usable and of rejected images;
    rules: the section `cleaning` of the configuration. Raises InputError where a column is missing, a
    class is empty in the end, or the rules say `stop` and there is something to stop for.
    """
    rows = read_labels(labels)
    images, aside = read_table(index), read_table(set_aside)
    rows["reason"] = reject_reasons(rows, images, aside, rules)
    kept = rows.loc[rows.reason == "", ["id", "label"]].astype({"label": int})
    bad = pd.concat([rows[rows.reason != ""], *_without_row(rows, images, aside)], ignore_index=True)
    bad = bad[["id", "reason", "row", "label"]].astype({"row": "Int64"})
    _stop_where_told(bad, rules, labels)
    if kept.label.nunique() < 2:
        others = f"; most of the others are rejected for {_commonest(bad.reason)!r}" if len(bad) else ""
        raise InputError(
            f"{labels}: both classes are needed, but of {len(rows)} rows only "
            f"{len(kept)} are usable and they are all of one class{others}"
        )
    write_table(kept, clean)
    write_table(bad, rejected)
    write_json(_summary(rows, kept, bad, images, aside), summary)
    logging.info("%d of %d label rows are usable, %d rejected", len(kept), len(rows), len(bad))


def read_labels(path: str) -> pd.DataFrame:
    """Read a label file as it is, texts without surrounding blanks: `row` (line in the file), id, label."""
    # Blank lines are kept here and dropped below, so that the line numbers are those of the file.
    table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, skip_blank_lines=False)
    table.columns = table.columns.str.strip()
    for column in ("id", "label"):
        if column not in table:
            raise InputError(f"{path}: there is no column {column!r}; the first line must name `id,label`")
    table = table[["id", "label"]].apply(lambda column: column.str.strip())
    table.insert(0, "row", range(2, len(table) + 2))  # line 1 is the header
    return table[(table.id != "") | (table.label != "")].reset_index(drop=True)


def reject_reasons(rows: pd.DataFrame, images: pd.DataFrame, aside: pd.DataFrame, rules: dict) -> pd.Series:
    """Why each label row is rejected, the first reason that holds, or the empty text.

    Duplicates that agree keep their first row; an id with two different labels loses all its rows.
    """
    number = pd.to_numeric(rows.label, errors="coerce")  # pandas writes 1.0 beside missing values
    rows["label"] = rows.label.where(~number.isin([0, 1]), number.map({0: "0", 1: "1"}))
    valid = rows.label.isin(["0", "1"]) & (rows.id != "")
    labels_per_id = rows[valid].groupby("id").label.nunique()
    set_aside = rows.id.map(aside.drop_duplicates("id").set_index("id").reason)
    near_blank = images.id[images["std"] < rules["near_blank_std"]]
    tests = {
        "missing id": rows.id == "",
        "missing label": rows.label == "",
        "label is not 0 or 1": ~rows.label.isin(["0", "1"]),
        "conflicting labels": rows.id.isin(labels_per_id.index[labels_per_id > 1]),
        "duplicate row": rows.id.where(valid).duplicated() & valid,
        SET_ASIDE: ~rows.id.isin(images.id) & set_aside.notna(),
        NO_IMAGE: ~rows.id.isin(images.id),
        NEAR_BLANK: rows.id.isin(near_blank) & (rules["near_blank"] == "reject"),
    }
    reason = pd.Series("", index=rows.index)
    for text, holds in tests.items():
        reason = reason.mask((reason == "") & holds, text)
    return reason.where(reason != SET_ASIDE, SET_ASIDE + ": " + set_aside.astype(str))


def _without_row(rows: pd.DataFrame, images: pd.DataFrame, aside: pd.DataFrame) -> list[pd.DataFrame]:
    """Usable images that no label row names, and images set aside that none names and none replaces."""
    unlabelled = images.loc[~images.id.isin(rows.id), ["id"]].assign(reason=NO_LABEL)
    unread = aside.loc[~aside.id.isin([*rows.id, *images.id]), ["id", "reason"]]
    return [unlabelled, unread.assign(reason=SET_ASIDE + ": " + unread.reason)]


def _stop_where_told(bad: pd.DataFrame, rules: dict, labels: str) -> None:
    of_images = bad.reason.str.startswith(SET_ASIDE) | bad.reason.isin([NO_LABEL, NEAR_BLANK])
    for key, found in (("bad_rows", bad[~of_images]), ("bad_images", bad[of_images])):
        if rules[key] == "stop" and len(found):
            first = found.iloc[0]
            where = f" in line {first.row}" if pd.notna(first.row) else ""
            raise InputError(
                f"{labels}: cleaning.{key} is `stop` and there are {len(found)}: the first is "
                f"{first.id!r}{where} ({first.reason}); mend them or set it to `reject`"
            )


def _commonest(reasons: pd.Series) -> str:
    return reasons.value_counts().index[0]


def _summary(rows, kept, bad, images, aside) -> dict:
    kinds = bad.reason.str.split(":").str[0]
    return {
        "before": {"label_rows": len(rows), "images": len(images) + len(aside)},
        "after": {
            "patches": len(kept),
            "negative": int((kept.label == 0).sum()),
            "positive": int((kept.label == 1).sum()),
        },
        "images_set_aside": len(aside),
        "rejected": {reason: int(count) for reason, count in kinds.value_counts().items()},
    }
