"""What gives a class away: facts about a file, not about the tissue, that tell the classes apart.

If all positives are PNG and all negatives JPEG, a model learns the format, and every metric is excellent. So
each thing that the pack's index knows of an image is tried as a classifier of its own. From more than MOST
patches some are drawn: what gives a class away does so in any large sample.
"""

import logging
import os
from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.data.clean import SET_ASIDE
from histopatch.files import read_blocks, write_table
from histopatch.statistics.area import auroc
from histopatch.statistics.auroc import Interval, delong

# The AUROC from which on a fact is warned of, with the lower end of its interval. How an image was stored
# should say nothing about its label. What it shows may, because tissue differs: on 4,000 real patches of
# PatchCamelyon no colour or contrast reaches more than 0.60. If a class loses a tenth of its images more than
# the other, the AUROC is 0.55. Networks see neither folders nor ids, but these show how data were gathered.
STORED, SHOWN, LOST, NEVER = 0.75, 0.9, 0.55, 2.0


class Fact(NamedTuple):
    """Something that is known of each image."""

    words: str
    threshold: float
    number: bool = False  # whether its values have an order


FACTS = {
    "suffix": Fact("suffix of the file", STORED),
    "format": Fact("file format", STORED),
    "mode": Fact("colour mode", STORED),
    "quality": Fact("JPEG quality", STORED, number=True),
    "software": Fact("software tag", STORED),
    "bytes": Fact("size of the file in bytes", SHOWN, number=True),
    "min": Fact("lowest pixel value", SHOWN, number=True),
    "max": Fact("highest pixel value", SHOWN, number=True),
    "mean": Fact("mean pixel value", SHOWN, number=True),
    "std": Fact("standard deviation of the pixel values", SHOWN, number=True),
    "red": Fact("mean of red", SHOWN, number=True),
    "green": Fact("mean of green", SHOWN, number=True),
    "blue": Fact("mean of blue", SHOWN, number=True),
    "folder": Fact("folder", NEVER),
    "place of the id": Fact("place of the id among the sorted ids", NEVER, number=True),
    "set aside": Fact("fact that an image is set aside", LOST),
}
COLUMNS = [
    "fact", "values", "auc", "auc_low", "auc_high", "auc_in_sample", "gives_away", "negatives", "positives",
]  # fmt: skip
LISTED = 3  # values that the table names for each class
MOST = 400_000  # patches that are looked at, give or take a few
FOLDS, SEED = 5, 0  # of the parts of the patches from which the others' values are judged
UNKNOWN = "none"


def giveaways(index: str, labels: str, rejected: str, table: str) -> None:
    """Write a table COLUMNS: how well each fact alone tells the classes apart, best first.

    index: the pack's; labels: clean labels, CSV `id,label`; rejected: what cleaning left out. From more than
    MOST patches about that many are drawn by a hash of their ids, and likewise from what was left out. A fact
    with a single value is left out. `auc` is by the order of the values, whichever way around, or by the
    share of positives that each value has in other folds, whichever is higher. `negatives` and `positives`
    are the commonest values in each class with their counts, or the median of a number.
    """
    share = MOST / sum(len(rows) for rows in read_blocks(labels, ["label"]))
    clean, images, left_out = (_drawn(path, share) for path in (labels, index, rejected))
    patches = clean.merge(images, on="id")
    rows = [_row(name, values, patches.label) for name, values in _facts(patches).items()]
    rows.append(_row("set aside", *_set_aside(clean, left_out)))
    found = pd.DataFrame([row for row in rows if row], columns=COLUMNS)
    found = found.sort_values("auc", ascending=False, kind="stable")
    for sentence in warnings_of(found):
        logging.warning("%s", sentence)
    write_table(found, table)


def _drawn(path: str, share: float) -> pd.DataFrame:
    """The rows of a table with a share of all ids, those with the lowest hashes: the same in each table."""
    blocks = read_blocks(path)
    if share < 1:
        blocks = (rows[pd.util.hash_array(rows.id.to_numpy(object)) < share * 2**64] for rows in blocks)
    return pd.concat(blocks, ignore_index=True)


def warnings_of(found: pd.DataFrame) -> list[str]:
    """What to say of a table COLUMNS: which facts tell the classes apart, and whose images are set aside."""
    found = found[found.gives_away.eq(True)]
    lost, telling = found[found.fact == "set aside"], found[found.fact != "set aside"]
    texts = []
    if len(telling):
        best, *others = telling.itertuples()
        also = ", ".join(f"{FACTS[row.fact].words} ({row.auc:.2f})" for row in others)
        texts.append(
            f"The {FACTS[best.fact].words} alone tells the classes apart (AUROC {best.auc:.2f}): negatives "
            f"have {best.negatives}, positives {best.positives}. "
            + (f"Others that do: {also}. " if also else "")
            + "A model could learn this instead of the tissue."
        )
    for row in lost.itertuples():
        texts.append(
            f"Images of one class are set aside more often: negatives {row.negatives}; positives "
            f"{row.positives}. The patches that are left may differ from those that a model will meet."
        )
    return texts


def _facts(patches: pd.DataFrame) -> dict[str, pd.Series]:
    """The facts of labelled patches, from the columns of the index that are there."""
    return {
        "suffix": patches.file.map(lambda file: os.path.splitext(file)[1].lower()),
        **{name: patches[name] for name in FACTS if name in patches},
        "folder": patches.file.map(os.path.dirname),
        "place of the id": patches.id.rank(),
    }


def _set_aside(clean: pd.DataFrame, rejected: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Whether the image of a row was set aside, and its label, for clean and for rejected rows."""
    labels = rejected.label.astype(str).str.removesuffix(".0")
    aside = labels[rejected.reason.str.startswith(SET_ASIDE) & labels.isin(["0", "1"])].astype(int)
    values = pd.Series(["used"] * len(clean) + ["set aside"] * len(aside))
    return values, pd.concat([clean.label, aside], ignore_index=True)


def _row(name: str, values: pd.Series, labels: pd.Series) -> dict | None:
    """The row of one fact; None where it has a single value."""
    fact, known = FACTS[name], values.notna()
    texts = values.map("{:.10g}".format) if fact.number else values.astype(str)
    texts = texts.where(known, UNKNOWN)
    if texts.nunique() < 2 or labels.nunique() < 2:
        return None
    ordered = fact.number and known.all()
    interval, in_sample = _by_value(texts, labels)
    if ordered:
        by_order = _by_order(values.to_numpy(float), labels)
        interval = max(interval, by_order, key=lambda found: found.area)
        in_sample = in_sample if interval is not by_order else by_order.area
    return {
        "fact": name,
        "values": texts.nunique(),
        "auc": round(interval.area, 4),
        "auc_low": round(interval.low, 4),
        "auc_high": round(interval.high, 4),
        "auc_in_sample": round(in_sample, 4),
        "gives_away": interval.low >= fact.threshold,
        "negatives": _described(values if ordered else texts, labels == 0, ordered),
        "positives": _described(values if ordered else texts, labels == 1, ordered),
    }


def _by_order(numbers: np.ndarray, labels: pd.Series) -> Interval:
    """The AUROC of numbers, whichever way around, with DeLong's interval."""
    interval = delong(labels, numbers)
    return interval if interval.area >= 0.5 else delong(labels, -numbers)


def _by_value(values: pd.Series, labels: pd.Series) -> tuple[Interval, float]:
    """The AUROC of the share of positives among patches with the same value, and the same in sample.

    The share is of the patches in other folds: that of all patches, the patch itself included, would tell the
    label of one with a value of its own, which is what the AUROC in sample shows.
    """
    labels, codes = labels.to_numpy(), pd.factorize(values)[0]
    # Each class is spread evenly over the folds, so that the share in the others does not tell the own label.
    shuffled = np.random.default_rng(SEED).permutation(len(labels))
    fold = np.empty(len(labels), int)
    fold[shuffled[np.argsort(labels[shuffled], kind="stable")]] = np.arange(len(labels)) % FOLDS
    cell, cells = codes * FOLDS + fold, (codes.max() + 1) * FOLDS
    count = np.bincount(cell, minlength=cells).reshape(-1, FOLDS)
    positive = np.bincount(cell, labels, minlength=cells).reshape(-1, FOLDS)
    others = [(sums.sum(1, keepdims=True) - sums)[codes, fold] for sums in (positive, count)]
    # One patch of the usual share is added, for values that only one fold has.
    share = (others[0] + labels.mean()) / (others[1] + 1)
    return delong(labels, share), auroc(labels, (positive.sum(1) / count.sum(1))[codes])


def _described(values: pd.Series, chosen: pd.Series, ordered: bool) -> str:
    if ordered:
        return f"a median of {values[chosen].median():g}"
    counts = values[chosen].value_counts()
    listed = [f"{value} ({count:,})" for value, count in counts.head(LISTED).items()]
    return ", ".join(listed) + (" and others" if len(counts) > LISTED else "")
