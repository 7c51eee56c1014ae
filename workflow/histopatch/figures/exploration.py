"""Figures of what the data set holds; data/explore.py makes the tables."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from histopatch.figures import style
from histopatch.files import read_table

CHANNELS = ("red", "green", "blue")
CENTRE = 32  # side in pixels of the square that a PatchCamelyon label speaks about
GAP = 4  # white pixels between patches


def class_balance(table: str, path: str, dpi: int) -> None:
    """Draw a bar per class with its patches and their share, from CSV `label,patches,share`."""
    with style.figure(path, dpi) as figure:
        draw_class_balance(figure, read_table(table))


def draw_class_balance(figure: Figure, balance: pd.DataFrame) -> None:
    """Draw what `class_balance` describes."""
    figure.set_figheight(2.6)
    axes = figure.subplots()
    names = [style.CLASSES[label] for label in balance.label]
    style.horizontal_bars(
        axes,
        labels=[_class_name(label) for label in balance.label],
        values=balance.patches,
        notes=[f"{row.patches:,} ({100 * row.share:.1f} %)" for row in balance.itertuples()],
        colours=[style.COLOURS[name] for name in names],
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("patches")
    axes.set_ylabel("class (label)")
    style.heading(figure, "Class balance of the labelled patches")


def examples(pack: str, index: str, labels: str, path: str, per_class: int, seed: int, dpi: int) -> None:
    """Draw randomly chosen patches of each class, the square that the label speaks about outlined.

    pack: uint8 array N×H×W×3 (.npy). index: CSV `id,row`, the row of a patch in the pack.
    labels: CSV `id,label`. Patches below 64 pixels have no square: it would cover most of them.
    """
    row_of_id = read_table(index)
    known = read_table(labels).merge(row_of_id, on="id")
    chosen = choose_examples(known, per_class, seed)
    pixels = np.load(pack, mmap_mode="r")
    with style.figure(path, dpi) as figure:
        draw_examples(figure, {label: pixels[rows] for label, rows in chosen.items()})


def choose_examples(known: pd.DataFrame, per_class: int, seed: int) -> dict[int, np.ndarray]:
    """Draw rows of the pack by label from a table `label,row`, all where there are fewer."""
    generator = np.random.default_rng(seed)
    return {
        label: generator.choice(group.row, min(per_class, len(group)), replace=False)
        for label, group in known.groupby("label")
    }


def draw_examples(figure: Figure, patches: dict[int, np.ndarray]) -> None:
    """Draw a block of patches (n×H×W×3) for each label."""
    shapes = {label: _grid_shape(len(block)) for label, block in patches.items()}
    height, width = next(iter(patches.values())).shape[1:3]
    cell = min(1.6, (style.WIDTH - 0.4) / max(columns for _, columns in shapes.values()))
    heights = [0.35 + rows * cell * height / width for rows, _ in shapes.values()]
    figure.set_figheight(sum(heights) + 0.6)
    all_axes = figure.subplots(len(patches), squeeze=False, height_ratios=heights).flat
    for axes, (label, block) in zip(all_axes, patches.items(), strict=True):
        _draw_block(axes, block, *shapes[label])
        name = style.CLASSES[label]
        axes.set_title(_class_name(label), color=style.COLOURS[name], fontweight="bold")
    outlined = f", the central {CENTRE}×{CENTRE} outlined" if _has_centre(height, width) else ""
    style.heading(figure, f"Random patches of {width}×{height} pixels{outlined}")


def rgb_histograms(table: str, path: str, dpi: int) -> None:
    """Draw the distribution of pixel values of both classes, a panel per colour channel.

    table: CSV `label,channel,value,share`, the share of a class's pixels by value (0-255).
    """
    with style.figure(path, dpi) as figure:
        draw_rgb_histograms(figure, pd.read_csv(table))


def draw_rgb_histograms(figure: Figure, histograms: pd.DataFrame) -> None:
    """Draw what `rgb_histograms` describes."""
    # Saturated pixels pile up at either end; the axis follows the values between them.
    top = 110 * histograms.share[histograms.value.between(1, 254)].max()
    panels = figure.subplots(1, len(CHANNELS), sharey=True)
    for axes, channel in zip(panels, CHANNELS, strict=True):
        _draw_channel(axes, histograms[histograms.channel == channel], top)
        axes.set_xlabel(f"{channel} value (0-255)")
    panels[0].set_ylim(0, top)
    panels[0].set_ylabel("share of the class's pixels (%)")
    style.legend_below(figure, panels[0])
    style.heading(figure, "Pixel values by class and colour channel")


def _class_name(label: int) -> str:
    return f"{style.CLASSES[label]} ({label})"


def _grid_shape(count: int) -> tuple[int, int]:
    """Rows and columns of a block about three times as wide as high, its rows evenly filled."""
    rows = math.ceil(count / math.ceil(math.sqrt(3 * count)))
    return rows, math.ceil(count / rows)


def _has_centre(height: int, width: int) -> bool:
    return min(height, width) >= 2 * CENTRE


def _draw_block(axes: Axes, patches: np.ndarray, rows: int, columns: int) -> None:
    """Show patches as one image: an axes for each would take seconds to lay out."""
    count, height, width, _ = patches.shape
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    sheet = np.full(shape, 255, np.uint8)
    for i, patch in enumerate(patches):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = patch
        if _has_centre(height, width):
            # Pixel centres lie at whole numbers, so pixel edges half a pixel before them.
            corner = (x + (width - CENTRE) / 2 - 0.5, y + (height - CENTRE) / 2 - 0.5)
            square = Rectangle(corner, CENTRE, CENTRE, fill=False, edgecolor="black", lw=0.8)
            axes.add_patch(square)
    axes.imshow(sheet)
    axes.set_axis_off()


def _draw_channel(axes: Axes, histograms: pd.DataFrame, top: float) -> None:
    beyond = []
    for label, histogram in histograms.groupby("label"):
        name, percent = style.CLASSES[label], 100 * histogram.share
        axes.step(histogram.value, percent, where="mid", lw=1.2, color=style.COLOURS[name], label=name)
        beyond += [
            f"{name}: {100 * row.share:.1f} % at {row.value}" for row in histogram[percent > top].itertuples()
        ]
    axes.set_title("\n".join(beyond), fontsize=9)
    axes.set_xticks([0, 64, 128, 192, 255])
    axes.set_xlim(0, 255)
