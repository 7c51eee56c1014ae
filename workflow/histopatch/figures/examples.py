"""Example patches of each class."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.data.pack_index import with_rows
from histopatch.data.pixels import Pixels
from histopatch.figures import style

GAP = 4  # white pixels between patches


def examples(pack: str, index: str, labels: str, path: str, per_class: int, seed: int, dpi: int) -> None:
    """Draw randomly chosen patches of each class, with the square outlined that the label refers to.

    pack: uint8 array N×H×W×3 (.npy). index: table `id,row`, the row of a patch in the pack.
    labels: CSV `id,label`. per_class: patches of each class. seed: of the random choice.
    """
    chosen = choose_examples(with_rows(labels, index, ["label"]), per_class, seed)
    pixels = Pixels(pack)
    with style.figure(path, dpi) as figure:
        draw_examples(figure, {label: pixels[rows] for label, rows in chosen.items()})


def choose_examples(labelled: pd.DataFrame, per_class: int, seed: int) -> dict[int, np.ndarray]:
    """Choose rows of the pack for each label from a table `label,row`; all where there are fewer."""
    generator = np.random.default_rng(seed)
    return {
        label: generator.choice(group.row, min(per_class, len(group)), replace=False)
        for label, group in labelled.groupby("label")
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
        axes.set_title(style.class_name(label), color=style.COLOURS[name], fontweight="bold")
    style.heading(figure, f"Random patches of {width}×{height} pixels, with their central third outlined")


def _grid_shape(count: int) -> tuple[int, int]:
    """Rows and columns of a block about three times as wide as high, its rows evenly filled."""
    rows = math.ceil(count / math.ceil(math.sqrt(3 * count)))
    return rows, math.ceil(count / rows)


def _draw_block(axes: Axes, patches: np.ndarray, rows: int, columns: int) -> None:
    """Show patches as one image: an axes for each would take seconds to lay out."""
    count, height, width, _ = patches.shape
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    sheet = np.full(shape, 255, np.uint8)
    for i, patch in enumerate(patches):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = patch
        style.outline_centre(axes, x + style.EDGE, y + style.EDGE, height, width)
    axes.imshow(sheet)
    axes.set_axis_off()
