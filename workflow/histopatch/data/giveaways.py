"""What gives a class away: things about a file, not about the tissue, that tell the classes apart.

If all positives are PNG and all negatives JPEG, a model learns the format, and every metric is excellent. So
each thing that the pack's index knows of an image is tried as a classifier of its own.
"""

import logging
from pathlib import PurePath

import numpy as np
import pandas as pd

from histopatch.data.clean import SET_ASIDE
from histopatch.files import read_table, write_table
from histopatch.statistics.auroc import Interval, delong

# The lower end of the interval from which on a fact gives a class away. How an image was stored should say
# nothing about the label; its size in bytes, colours and contrast do, because tissue differs.
STORED, SHOWN = 0.75, 0.9
FACTS = {
    "suffix": STORED,
    "format": STORED,
    "mode": STORED,
    "quality": STORED,
    "software": STORED,
    "set aside": STORED,
    "bytes": SHOWN,
    "min": SHOWN,
    "max": SHOWN,
    "mean": SHOWN,
    "std": SHOWN,
    "red": SHOWN,
    "green": SHOWN,
    "blue": SHOWN,
}
COLUMNS = ["fact", "values", "auc", "auc_low", "auc_high", "gives_away", "negatives", "positives"]
LISTED = 3  # values that the table names for each class


def giveaways(index: str, labels: str, rejected: str, table: str) -> None:
    """Write a table COLUMNS: how well each fact alone tells the classes apart, best first.

    index: the pack's; labels: clean labels, CSV `id,label`; rejected: what cleaning left out. A fact with a
    single value is left out. `negatives` and `positives` are the commonest values in each class with their
    counts, or the median of a number.
    """
    clean = read_table(labels)
    patches = clean.merge(read_table(index), on="id")
    rows = [_row(name, values, patches.label) for name, values in _facts(patches).items()]
    rows.append(_row("set aside", *_set_aside(clean, read_table(rejected))))
    found = pd.DataFrame([row for row in rows if row], columns=COLUMNS)
    found = found.sort_values("auc", ascending=False, kind="stable")
    for row in found[found.gives_away].itertuples():
        logging.warning("%s", sentence(row))
    write_table(found, table)


def sentence(row) -> str:
    """What a row of the table that gives a class away means, in a sentence."""
    return (
        f"The {row.fact} alone tells the classes apart (AUROC {row.auc:.2f}): negatives have "
        f"{row.negatives}, positives {row.positives}. A model could learn this instead of the tissue."
    )


def _facts(patches: pd.DataFrame) -> dict[str, pd.Series]:
    """The facts of labelled patches, from the columns of the index that are there."""
    suffix = patches.file.map(lambda file: PurePath(file).suffix.lower())
    return {"suffix": suffix} | {name: patches[name] for name in FACTS if name in patches}


def _set_aside(clean: pd.DataFrame, rejected: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Whether the image of a row was set aside, and its label, for clean and for rejected rows."""
    labels = rejected.label.astype(str).str.removesuffix(".0")
    aside = labels[rejected.reason.str.startswith(SET_ASIDE) & labels.isin(["0", "1"])].astype(int)
    values = pd.Series(["no"] * len(clean) + ["yes"] * len(aside))
    return values, pd.concat([clean.label, aside], ignore_index=True)


def _row(fact: str, values: pd.Series, labels: pd.Series) -> dict | None:
    """The row of one fact; None where it has a single value or is not known."""
    known = values.notna()
    values, labels = values[known], labels[known]
    if values.nunique() < 2 or labels.nunique() < 2:
        return None
    numeric = pd.api.types.is_numeric_dtype(values)
    interval = _interval(labels, values if numeric else _share_elsewhere(values, labels))
    return {
        "fact": fact,
        "values": values.nunique(),
        "auc": round(interval.area, 4),
        "auc_low": round(interval.low, 4),
        "auc_high": round(interval.high, 4),
        "gives_away": interval.low >= FACTS[fact],
        "negatives": _described(values[labels == 0], numeric),
        "positives": _described(values[labels == 1], numeric),
    }


def _interval(labels: pd.Series, scores: pd.Series) -> Interval:
    """The AUROC of scores, whichever way around, with DeLong's interval."""
    interval = delong(labels, scores)
    return interval if interval.area >= 0.5 else delong(labels, -np.asarray(scores, float))


def _share_elsewhere(values: pd.Series, labels: pd.Series) -> pd.Series:
    """The share of positives among the patches with the same value in the other half of the data.

    Not in the same half: a value that only one patch has would tell its label.
    """
    half = labels.groupby(labels).cumcount() % 2
    shares = pd.Series(labels.mean(), index=values.index)
    for here in (0, 1):
        elsewhere = labels[half != here].groupby(values[half != here]).mean()
        shares = shares.mask(half == here, values.map(elsewhere).astype(float))
    return shares.fillna(labels.mean())


def _described(values: pd.Series, numeric: bool) -> str:
    if numeric:
        return f"a median of {values.median():g}"
    counts = values.value_counts()
    listed = [f"{value} ({count:,})" for value, count in counts.head(LISTED).items()]
    return ", ".join(listed) + (" and others" if len(counts) > LISTED else "")
