"""Cleaning: from the label file and the index of the pack to one row per usable, labelled image."""

import logging

import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.names import fault, match_ids, quote, spoiled
from histopatch.errors import InputError
from histopatch.files import read_table, write_json, write_table
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
    rows, labels = dataset.labels(), dataset.where
    images, aside = read_table(index, ["id", "mean", "std"]), read_table(set_aside)
    rows["id"] = _known_ids(rows.id, pd.concat([images.id, aside.id]), labels)
    rows["reason"] = reject_reasons(rows, images, aside, cleaning)
    kept = rows.loc[rows.reason == "", ["id", "label"]].astype({"label": int})
    bad = pd.concat([rows[rows.reason != ""], *_without_row(rows, images, aside)], ignore_index=True)
    bad = bad[["id", "reason", "row", "label"]].astype({"row": "Int64"})
    _stop_if_asked(bad, cleaning, labels)
    if kept.label.nunique() < 2:
        commonest = f"; the most common reason for rejection is {bad.reason.mode()[0]!r}" if len(bad) else ""
        raise InputError(
            f"{labels}: both classes are needed, but the usable rows ({len(kept)} of {len(rows)}) lack "
            f"at least one{commonest}"
        )
    write_table(kept, clean)
    write_table(bad, rejected)
    near_blank = images[images["std"] < cleaning.near_blank_std]
    synthetic = dataset.name == "synthetic"
    counts = _summary(rows, kept, bad, images, aside, near_blank)
    write_json({"synthetic": synthetic} | counts, summary)
    logging.info("%d of %d label rows are usable", len(kept), len(rows))
    _warn(bad, near_blank, cleaning, labels, rejected)


def _known_ids(ids: pd.Series, known: pd.Series, labels: str) -> pd.Series:
    """Ids as the images have them, where a suffix is the only difference; warns of what was found."""
    fitting = match_ids(ids, known)
    changed = fitting != ids
    if changed.any():
        logging.warning(
            "%s: %d ids differ from those of the images by a suffix only and were taken, such as %s for %s",
            labels, changed.sum(), quote(ids[changed].iloc[0]), quote(fitting[changed].iloc[0]),
        )  # fmt: skip
    for sentence in spoiled(fitting, known):
        logging.warning("%s: %s", labels, sentence)
    return fitting


def _warn(
    bad: pd.DataFrame, near_blank: pd.DataFrame, cleaning: Cleaning, labels: str, rejected: str
) -> None:
    """Say what is left out, with one of each kind, and which patches show hardly anything."""
    if len(bad):
        first = bad.assign(kind=bad.reason.str.split(":").str[0]).groupby("kind", sort=False)
        kinds = [f"{kind}: {len(group)} (first: {_place(group.iloc[0], labels)})" for kind, group in first]
        logging.warning(
            "rejected rows or images: %d, namely %s; see %s", len(bad), ", ".join(kinds), rejected
        )
    if len(near_blank) and cleaning.near_blank == "keep":
        logging.warning(
            "near-blank patches that are used all the same: %d, such as %s (mean %.0f of 255); set "
            "cleaning.near_blank: reject to leave them out",
            len(near_blank), quote(near_blank.id.iloc[0]), near_blank["mean"].iloc[0],
        )  # fmt: skip


def _place(row, labels: str) -> str:
    """An id in quotes, and where its row is if it has one."""
    unit = "line" if labels.endswith((".csv", ".tsv")) else "row"
    return quote(row.id) + (f" in {unit} {row.row}" if pd.notna(row.row) else "")


def reject_reasons(
    rows: pd.DataFrame, images: pd.DataFrame, aside: pd.DataFrame, cleaning: Cleaning
) -> pd.Series:
    """The first reason that applies to reject each label row, or the empty string.

    Of equal rows the first one is kept; an id with both labels loses all its rows.
    """
    valid = rows.label.isin(["0", "1"]) & (rows.id != "")
    repeated = rows[valid & rows.id.duplicated(keep=False)].groupby("id").label.nunique()
    set_aside = rows.id.map(aside.drop_duplicates("id").set_index("id").reason)
    near_blank = images.id[images["std"] < cleaning.near_blank_std]
    faults, has_image = rows.id.map(fault), rows.id.isin(images.id)
    tests = {
        "missing id": rows.id == "",
        **{text: faults == text for text in faults.unique() if text},
        "missing label": rows.label == "",
        "label is not 0 or 1": ~rows.label.isin(["0", "1"]),
        "conflicting labels": rows.id.isin(repeated.index[repeated > 1]),
        "duplicate row": rows.id.where(valid).duplicated() & valid,
        SET_ASIDE: ~has_image & set_aside.notna(),
        NO_IMAGE: ~has_image,
        NEAR_BLANK: rows.id.isin(near_blank) & (cleaning.near_blank == "reject"),
    }
    reason = pd.Series("", index=rows.index)
    for text, applies in tests.items():
        reason = reason.mask((reason == "") & applies, text)
    return reason.where(reason != SET_ASIDE, SET_ASIDE + ": " + set_aside.astype(str))


def _without_row(rows: pd.DataFrame, images: pd.DataFrame, aside: pd.DataFrame) -> list[pd.DataFrame]:
    """Images without a label row: the usable ones, and those set aside whose id no usable image has."""
    unlabelled = images.loc[~images.id.isin(rows.id), ["id"]].assign(reason=NO_LABEL)
    unread = aside.loc[~aside.id.isin(rows.id) & ~aside.id.isin(images.id), ["id", "reason"]]
    return [unlabelled, unread.assign(reason=SET_ASIDE + ": " + unread.reason)]


def _stop_if_asked(bad: pd.DataFrame, cleaning: Cleaning, labels: str) -> None:
    """Raise InputError for the first rejection that the settings say to stop for."""
    of_images = bad.reason.str.startswith(SET_ASIDE) | bad.reason.isin([NO_LABEL, NEAR_BLANK])
    for key, found in (("bad_rows", bad[~of_images]), ("bad_images", bad[of_images])):
        if getattr(cleaning, key) == "stop" and len(found):
            first = found.iloc[0]
            raise InputError(
                f"{labels}: cleaning.{key} is `stop` and there are {len(found)}: the first is "
                f"{_place(first, labels)} ({first.reason}); correct them or set it to `reject`"
            )


def _summary(rows, kept, bad, images, aside, near_blank) -> dict:
    kinds = bad.reason.str.split(":").str[0]
    return {
        "before": {"label_rows": len(rows), "images": len(images) + len(aside)},
        "after": {
            "patches": len(kept),
            "negative": int((kept.label == 0).sum()),
            "positive": int((kept.label == 1).sum()),
        },
        "images_set_aside": len(aside),
        "near_blank": {
            "used": int(near_blank.id.isin(kept.id).sum()),
            "examples": near_blank.id.head(EXAMPLES).tolist(),
        },
        "rejected": {reason: int(count) for reason, count in kinds.value_counts().items()},
    }
