"""What all figures share: colours, sizes, words, legends below the axes, axes zoomed to the data."""

import contextlib
import itertools
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter

from histopatch.data.centre import centre
from histopatch.files import replacing

WIDTH = 9.0  # inches
TITLE_LINE = 0.24  # inches that a line of the title takes
EDGE = -0.5  # of the first pixel of an image, whose middle is at 0
CLASSES = ("negative", "positive")  # by label
VALIDATION_AUROC = "validation AUROC of the kept weights"
RANKS = "The final model averages ranks, which are no probabilities: there is nothing to draw."
NOT_TESTED = "validated on different patches, not tested"  # runs that no paired test can compare

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = {
    "negative": "#0072B2",
    "positive": "#D55E00",
    "training": "#009E73",
    "validation": "#B0478A",  # their purple, darkened to be readable as a line
    "held out": "#C98A00",  # their orange, darkened likewise
}
CYCLE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
BAR = "#8DB8D6"
MAIN = "#0072B2"  # what a figure is about
OTHER = "#D55E00"  # what contrasts with it
INK = "#222222"
MUTED = "#777777"
NAME = 40  # characters of a name that are shown

RC = {
    "figure.figsize": (WIDTH, 4.0),
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.titlesize": 13,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,  # 0.991 on the axis, not 0.001 with +0.99 in a corner
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
    "text.parse_math": False,  # a name with dollars is no formula
}


@contextlib.contextmanager
def figure(path: str | Path, dpi: int) -> Iterator[Figure]:
    """Yield an empty figure to draw on, WIDTH inches wide; it is written as PNG when the block ends."""
    with matplotlib.rc_context(RC):
        page = Figure(dpi=dpi)
        yield page
        with replacing(path) as temporary:
            page.savefig(temporary, dpi="figure")


def class_name(label: int) -> str:
    """What a class is called beside its label."""
    return f"{CLASSES[label]} ({label})"


def name(text: str) -> str:
    """A name that other people gave, without what cannot be drawn; of a long one the middle is left out."""
    shown = text if len(text) <= NAME else f"{text[: NAME // 2]}…{text[1 - NAME // 2 :]}"
    return "".join(c if c.isprintable() else "\ufffd" for c in shown)


def wrapped(text: str, width: int) -> str:
    """Break long text into lines, also after the commas in the name of a run.

    Only a word that is longer than a line is broken, after a separator such as `_` where it has one.
    """
    words = re.sub(r",\s*", ", ", text).split()
    parts = [re.findall(rf".{{1,{width}}}(?:$|(?<=[-_/.]))|.{{{width}}}", word) for word in words]
    return textwrap.fill(" ".join(itertools.chain(*parts)), width)


def heading(page: Figure, text: str) -> None:
    """Write the title of the figure; the lines of a long one make the figure higher."""
    title = wrapped(text, 80)
    page.suptitle(title)
    page.set_figheight(page.get_figheight() + TITLE_LINE * title.count("\n"))


def legend_below(page: Figure, axes: Axes) -> None:
    """Put the legend of some axes below the figure, where it hides nothing, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    for columns in range(min(len(labels), 5), 0, -1):
        legend = page.legend(handles, labels, loc="outside lower center", ncols=columns)
        if columns == 1 or legend.get_window_extent().width <= page.bbox.width:
            return
        legend.remove()


def message(page: Figure, text: str) -> None:
    """Write why there is nothing to draw."""
    page.set_figheight(1.6)
    axes = page.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, wrapped(text, 90), ha="center", va="center", transform=axes.transAxes)


def outline_centre(axes: Axes, left: float, top: float, height: int, width: int, pixel: float = 1.0) -> None:
    """Outline the centre of a patch of height×width pixels whose corner is at (left, top) of the axes.

    pixel: its side in units of the axes.
    """
    rows, columns = centre(height), centre(width)
    corner = left + pixel * columns.start, top + pixel * rows.start
    sides = pixel * (columns.stop - columns.start), pixel * (rows.stop - rows.start)
    axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor="black", lw=0.8))


def plain_powers(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, at its powers of ten only."""
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter(NullFormatter())


def zoomed(low: float, high: float) -> tuple[float, float]:
    """Round axis limits just outside low..high, for AUROCs that differ in the third digit."""
    span = max(high - low, 0.004)  # a single AUROC needs some axis around it as well
    step = 10 ** math.floor(math.log10(span)) / 5
    lower = math.floor((low - span / 10) / step) * step
    upper = math.ceil((high + span / 10) / step) * step
    # An AUROC ends at 1; the margin above it keeps a marker or whisker there from being cut.
    return max(round(lower, 6), 0.0), round(min(upper, 1 + span / 20), 6)


def horizontal_bars(
    axes: Axes, labels: Sequence[str], values: Sequence[float], notes: Sequence[str], colours
) -> None:
    """Draw labelled bars from the top down, each with a note in a column right of the axes."""
    axes.barh(range(len(labels)), values, height=0.7, color=colours)
    labelled_rows(axes, range(len(labels)), labels, notes)


def labelled_rows(
    axes: Axes, positions: Sequence[float], labels: Sequence[str], notes: Sequence[str]
) -> None:
    """Label rows from the top down, one unit high, each with a note in a column right of the axes."""
    axes.set_yticks(positions, labels)
    axes.set_ylim(positions[-1] + 0.5, positions[0] - 0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for position, note in zip(positions, notes, strict=True):
        axes.text(1.01, position, note, va="center_baseline", transform=axes.get_yaxis_transform())
