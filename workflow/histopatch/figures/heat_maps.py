"""Where the final model looks: heat maps over its most confident predictions."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from histopatch.data.pack_index import find_images
from histopatch.data.pixels import Pixels
from histopatch.figures import style
from histopatch.files import read_table

HEAT = "viridis"  # yellow where most speaks for the class; tissue has no green and yellow
GAP, WIDE_GAP = 0.03, 0.2  # between a patch and its map, and between pairs, in patches


def heat_maps(confident: str, maps: str, pack: str, index: str, path: str, dpi: int) -> None:
    """Draw the most confident right and wrong predictions of each class, each patch beside its heat map.

    confident: CSV `id,label,probability,centre_share`, and maps: the map of each row (.npy, n×h×w).
    pack: uint8 array N×H×W×3 (.npy). index: table `id,row`, the row of a patch in the pack.
    """
    table = read_table(confident)
    table = table.merge(find_images(index, "id", table.id), on="id", how="left")
    pixels = Pixels(pack)[table.row.to_numpy()]
    with style.figure(path, dpi) as figure:
        draw_heat_maps(figure, table, pixels, np.load(maps))


def draw_heat_maps(figure: Figure, table: pd.DataFrame, pixels: np.ndarray, maps: np.ndarray) -> None:
    """Draw what `heat_maps` describes: n rows of the table, n patches (n×H×W×3) and n maps (n×h×w)."""
    if table.centre_share.isna().all():
        why = "the feature maps have fewer than 3×3 cells, or no evidence"
        style.message(figure, f"No heat maps of the most confident predictions: {why}")
        return
    blocks = list(_blocks(table))
    columns = max(len(places) for _, _, places in blocks)
    width = columns * (2 + GAP + WIDE_GAP) - WIDE_GAP
    figure.set_figheight(len(blocks) * (0.5 + (style.WIDTH - 0.4) / width) + 0.9)
    all_axes = figure.subplots(len(blocks), squeeze=False)[:, 0]
    for axes, (label, right, places) in zip(all_axes, blocks, strict=True):
        for column, place in enumerate(places):
            left = column * (2 + GAP + WIDE_GAP)
            _draw_pair(axes, left, pixels[place], maps[place])
            row = table.iloc[place]
            axes.text(left + 1 + GAP / 2, 1.04, _caption(row), ha="center", va="top", fontsize=8)
        axes.set(xlim=(0, width), ylim=(1, 0), aspect="equal")
        axes.set_axis_off()
        verdict = "right" if right else f"wrong: taken for {style.CLASSES[1 - label]}"
        name = style.CLASSES[label]
        axes.set_title(
            f"{style.class_name(label)}, {verdict}", color=style.COLOURS[name], fontweight="bold", loc="left"
        )
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), HEAT), ax=[*all_axes], location="bottom", shrink=0.3, aspect=30
    )
    bar.set_ticks([0, 1], labels=["none", "most in this patch"])
    bar.outline.set_visible(False)
    style.heading(figure, "What speaks for the predicted class, in the most confident predictions")


def _blocks(table: pd.DataFrame) -> Iterator[tuple[int, bool, np.ndarray]]:
    """Label, whether the prediction is right, and the places of such rows, right before wrong."""
    right = (table.probability >= 0.5) == table.label
    for label in (0, 1):
        for verdict in (True, False):
            places = np.flatnonzero((table.label == label) & (right == verdict))
            if len(places):
                yield label, verdict, places


def _draw_pair(axes: Axes, left: float, patch: np.ndarray, evidence: np.ndarray) -> None:
    """A patch, one unit wide, and beside it the same under its map, clear where there is no evidence."""
    heat = evidence / evidence.max() if evidence.any() else evidence
    for start, covered in ((left, False), (left + 1 + GAP, True)):
        extent = (start, start + 1, 1, 0)
        axes.imshow(patch, extent=extent)
        if covered:
            axes.imshow(
                heat, extent=extent, cmap=HEAT, vmin=0, vmax=1, alpha=0.75 * heat, interpolation="bilinear"
            )
        style.outline_centre(axes, start, 0, *patch.shape[:2], pixel=1 / len(patch))


def _caption(row: pd.Series) -> str:
    share = "" if pd.isna(row.centre_share) else f", {100 * row.centre_share:.0f} % in the centre"
    return f"probability {row.probability:.3f}{share}"
