"""Figure of the leakage audit of a split; data/audit.py makes the tables."""

import json
import math
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.data.folds import fold_name
from histopatch.figures import style
from histopatch.files import read_table

KINDS = {
    "slide": "slides",
    "identical": "identical images",
    "turned": "flipped or turned images",
    "near": "near duplicates",
    "two_labels": "one image, two labels",
}
EXAMPLES, COLUMNS = 8, 4  # pairs at most, and in a row
GAP = 4  # white pixels between the patches of a pair


class Example(NamedTuple):
    """A pair of patches (H×W×3) and what is wrong with it."""

    caption: str
    a: np.ndarray
    b: np.ndarray


def audit(report: str, pairs: str, pack: str, index: str, path: str, title: str, dpi: int) -> None:
    """Draw how many pairs of each kind are on several sides of a split, and up to EXAMPLES of them.

    report: JSON and pairs: CSV of the audit. pack: uint8 array N×H×W×3 (.npy). index: CSV `id,row`.
    """
    counts = json.loads(Path(report).read_text())
    row_of = read_table(index).set_index("id").row
    pixels = np.load(pack, mmap_mode="r")
    examples = [
        Example(_caption(pair), pixels[row_of[pair.id_a]], pixels[row_of[pair.id_b]])
        for pair in choose_pairs(read_table(pairs)).itertuples()
    ]
    with style.figure(path, dpi) as figure:
        draw_audit(figure, counts, examples, title)


def choose_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Up to EXAMPLES pairs of images that are on two sides or have two labels, of all kinds in turn."""
    wrong = (pairs.fold_a != pairs.fold_b) | (pairs.kind == "two_labels")
    images = pairs[wrong & (pairs.kind != "slide")]
    turn = images.groupby("kind").cumcount().sort_values(kind="stable")
    return images.loc[turn.index[:EXAMPLES]]


def draw_audit(figure: Figure, report: dict, examples: list[Example], title: str) -> None:
    """Draw what `audit` describes."""
    rows = math.ceil(len(examples) / COLUMNS)
    heights = [2.8, 1.7 * rows] if rows else [2.8]
    figure.set_figheight(sum(heights))
    # Parts of their own, so that the examples need not stand below the bars, right of their long names.
    counts, *below = figure.subfigures(len(heights), squeeze=False, height_ratios=heights).flat
    _draw_counts(counts.subplots(), report)
    for part in below:
        for axes, example in zip_longest(part.subplots(rows, COLUMNS, squeeze=False).flat, examples):
            axes.set_axis_off()
            if example:
                _draw_example(axes, example)
    style.heading(figure, title)


def _draw_counts(axes: Axes, report: dict) -> None:
    pairs = report["pairs"]
    values = [pairs[kind]["found" if kind == "two_labels" else "crossing"] for kind in KINDS]
    notes = [f"{value:,}{_out_of(kind, report)}" for kind, value in zip(KINDS, values, strict=True)]
    style.horizontal_bars(axes, list(KINDS.values()), values, notes, style.BAR)
    axes.set_xlim(0, max(1, *values))
    axes.locator_params(axis="x", integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("on more than one side of the split (two labels: anywhere)")


def _out_of(kind: str, report: dict) -> str:
    """What the count is a part of."""
    if kind == "slide":
        known = report["slides"]["known"]
        return f" of {known:,} slides" if known else " (none is known)"
    found = report["pairs"][kind]["found"]
    return f" of {found:,} pairs" if found and kind != "two_labels" else ""


def _draw_example(axes: Axes, example: Example) -> None:
    gap = np.full((len(example.a), GAP, 3), 255, np.uint8)
    axes.imshow(np.concatenate([example.a, gap, example.b], axis=1))
    axes.set_title(example.caption, fontsize=8)


def _caption(pair) -> str:
    """What is wrong with a pair, and on which sides its patches are."""
    sides = f"{fold_name(pair.fold_a)} | {fold_name(pair.fold_b)}"
    labels = f"label {pair.label_a} | {pair.label_b}"
    return f"{KINDS[pair.kind]}\n{sides}\n{labels}"
