"""Leakage audit of a split: what is on more than one side of it, with examples."""

import json
import math
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.data.pack_index import find_images
from histopatch.data.pixels import Pixels
from histopatch.data.units import UNITS
from histopatch.figures import style
from histopatch.files import read_table
from histopatch.leakage.sides import side_name

KINDS = {
    "patch": "patches",
    "patient": "patients",
    "slide": "slides",
    "identical": "identical images",
    "turned": "flipped or rotated images",
    "near": "near-duplicates",
    "two_labels": "images with two labels",
}
MOST_EXAMPLES, COLUMNS = 8, 4  # pairs of patches in all and per line
GAP = 4  # white pixels between the patches of a pair


class Example(NamedTuple):
    """A pair of patches (H×W×3) and what is wrong with it."""

    caption: str
    a: np.ndarray
    b: np.ndarray


def audit(report: str, pairs: str, pack: str, index: str, path: str, dpi: int, name: str) -> None:
    """Draw how many patients, slides and pairs of images are on more than one side of a split, with examples.

    report: JSON and pairs: CSV of the audit. pack: uint8 array N×H×W×3 (.npy). index: table `id,row`, the row
    of a patch in the pack. name: of the split.
    """
    counts = json.loads(Path(report).read_text())
    chosen = choose_pairs(read_table(pairs)).convert_dtypes()
    row_of = find_images(index, "id", [*chosen.id_a, *chosen.id_b]).set_index("id").row
    pixels = Pixels(pack)
    examples = [
        Example(_caption(pair), pixels[row_of[pair.id_a]], pixels[row_of[pair.id_b]])
        for pair in chosen.itertuples()
    ]
    with style.figure(path, dpi) as figure:
        draw_audit(figure, counts, examples, name)


def choose_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Up to MOST_EXAMPLES pairs of images that are on two sides or have two labels, of each kind in turn."""
    wrong = (pairs.fold_a != pairs.fold_b) | (pairs.kind == "two_labels")
    images = pairs[wrong & ~pairs.kind.isin(["patch", *UNITS])]
    turn = images.groupby("kind").cumcount().sort_values(kind="stable")
    return images.loc[turn.index[:MOST_EXAMPLES]]


def draw_audit(figure: Figure, report: dict, examples: list[Example], name: str) -> None:
    """Draw what `audit` describes."""
    rows = math.ceil(len(examples) / COLUMNS)
    heights = [2.8, 1.7 * rows] if rows else [2.8]
    figure.set_figheight(sum(heights))
    # Subfigures, so that the examples use the whole width, not only that of the bars.
    top, *below = figure.subfigures(len(heights), squeeze=False, height_ratios=heights).flat
    _draw_counts(top.subplots(), report)
    for block in below:
        for axes, example in zip_longest(block.subplots(rows, COLUMNS, squeeze=False).flat, examples):
            axes.set_axis_off()
            if example:
                _draw_example(axes, example)
    style.heading(figure, f"Leakage audit of the split {name}")


def _draw_counts(axes: Axes, report: dict) -> None:
    pairs = report["pairs"]
    there = {"patch": pairs["patch"]["crossing"] > 0, "patient": "patients" in report}
    shown = [kind for kind in KINDS if there.get(kind, True)]
    values = [pairs[kind]["found" if kind == "two_labels" else "crossing"] for kind in shown]
    notes = [f"{value:,}{_out_of(kind, report)}" for kind, value in zip(shown, values, strict=True)]
    style.horizontal_bars(axes, [KINDS[kind] for kind in shown], values, notes, style.BAR)
    if not any(values):
        axes.text(
            0.5, 0.5, "nothing found", ha="center", va="center", color=style.MUTED, transform=axes.transAxes
        )
    axes.set_xlim(0, max(1, *values))
    axes.locator_params(axis="x", integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("number on more than one side of the split (two labels: on any side)")


def _out_of(kind: str, report: dict) -> str:
    """The total that a count is out of."""
    if kind in UNITS:
        known = report[f"{kind}s"]["known"]
        return f" of {known:,} {kind}s" if known else f" (no {kind}s are known)"
    found = report["pairs"][kind]["found"]
    return f" of {found:,} pairs" if found and kind not in ("patch", "two_labels") else ""


def _draw_example(axes: Axes, example: Example) -> None:
    gap = np.full((len(example.a), GAP, 3), 255, np.uint8)
    axes.imshow(np.concatenate([example.a, gap, example.b], axis=1))
    axes.set_title(example.caption, fontsize=8)


def _caption(pair) -> str:
    """What is wrong with a pair, which sides its patches are on, and their labels where both are known."""
    sides = f"{side_name(pair.fold_a)} | {side_name(pair.fold_b)}"
    lines = [KINDS[pair.kind], style.name(sides)]
    if not pd.isna([pair.label_a, pair.label_b]).any():
        lines.append(style.name(f"label {pair.label_a} | {pair.label_b}"))
    return "\n".join(lines)
