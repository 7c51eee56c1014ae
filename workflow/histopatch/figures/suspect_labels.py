"""The patches whose label is most suspicious."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histopatch.data.pack_index import find_images
from histopatch.data.pixels import Pixels
from histopatch.figures import style
from histopatch.files import read_table

MOST, COLUMNS = 24, 6  # patches in all and per line
CAPTION = 0.42  # inches above each patch


def suspect_labels(table: str, pack: str, index: str, path: str, dpi: int) -> None:
    """Draw the 24 most suspicious of the patches with suspect labels, the most suspicious first.

    table: CSV `rank,id,label,probability`, in order. pack: uint8 array N×H×W×3 (.npy). index: table `id,row`,
    the row of a patch in the pack.
    """
    ranked = read_table(table).head(MOST)
    ranked = ranked.merge(find_images(index, "id", ranked.id), on="id", how="left")
    pixels = Pixels(pack)[ranked.row.to_numpy(int)]
    with style.figure(path, dpi) as figure:
        draw_suspect_labels(figure, ranked, pixels)


def draw_suspect_labels(figure: Figure, ranked: pd.DataFrame, pixels: np.ndarray) -> None:
    """Draw what `suspect_labels` describes: n rows of the table and n patches (n×H×W×3)."""
    if ranked.empty:
        style.message(figure, "No label is contradicted with confidence by predictions of unseen patches.")
        return
    rows = math.ceil(len(ranked) / COLUMNS)
    height, width = pixels.shape[1:3]
    figure.set_figheight(rows * (style.WIDTH / COLUMNS * height / width + CAPTION) + 0.6)
    all_axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in all_axes.flat:
        axes.set_axis_off()
    for axes, row, patch in zip(all_axes.flat, ranked.itertuples(), pixels, strict=False):
        axes.imshow(patch)
        axes.set_title(_caption(row), color=style.COLOURS[style.CLASSES[row.label]], fontsize=8)
    style.heading(figure, "Labels to look at again: the predictions of unseen patches contradict them most")


def _caption(row) -> str:
    """Rank, label, probability and id of a patch, an id no wider than the patch."""
    name = style.name(row.id)
    shown = name if len(name) <= 17 else f"{name[:8]}…{name[-8:]}"
    return f"{row.rank}: labelled {style.CLASSES[row.label]}\nprobability {row.probability:.3f}\n{shown}"
