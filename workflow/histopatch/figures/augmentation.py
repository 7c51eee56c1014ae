"""Patches under each augmentation and stain normalisation."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.figures import style

COLUMNS = 2
LABEL = 1.2  # inches left of the patches
GAP = 0.06  # white between patches, as a share of their width


def augmentation(gallery: str, path: str, dpi: int) -> None:
    """Draw what each augmentation makes of one patch, several times, beside its name and strength.

    And what each stain normalisation makes of several patches. gallery: arrays by name (.npz), as
    `histopatch.augmentation.gallery` writes them.
    """
    with style.figure(path, dpi) as figure, np.load(gallery) as arrays:
        draw_augmentation(figure, dict(arrays))


def draw_augmentation(figure: Figure, gallery: dict[str, np.ndarray]) -> None:
    """Draw what `augmentation` describes."""
    rows = [("patch", "", gallery["patch"][None]), ("another", "", gallery["partner"][None])]
    rows += zip(gallery["augmentation"], gallery["strength"], gallery["augmented"], strict=True)
    rows.append(("patches", "", gallery["stained"]))
    methods = zip(gallery["method"], gallery["normalised"], strict=True)
    rows += [(method, "normalisation", patches) for method, patches in methods]
    lines = math.ceil(len(rows) / COLUMNS)
    shown, height, width = gallery["augmented"].shape[1:4]
    cell = (style.WIDTH / COLUMNS - LABEL) / (shown * (1 + GAP))
    figure.set_figheight(lines * (cell * height / width + 0.1) + 0.5)
    panels = list(figure.subplots(lines, COLUMNS, squeeze=False).T.flat)
    for axes in panels:
        axes.set_axis_off()
    for axes, row in zip(panels, rows, strict=False):
        _draw_row(axes, *row, places=shown)
    style.outline_centre(panels[0], style.EDGE, style.EDGE, height, width)
    style.heading(figure, "One patch under each augmentation, five under each stain normalisation")


def _draw_row(axes: Axes, name: str, strength: str, patches: np.ndarray, places: int) -> None:
    """Show patches (n×H×W×3) side by side, with room for as many as there are places."""
    height, width = patches.shape[1:3]
    step = round((1 + GAP) * width)
    sheet = np.full((height, (places - 1) * step + width, 3), 255, np.uint8)
    for i, patch in enumerate(patches):
        sheet[:, i * step : i * step + width] = patch
    axes.imshow(sheet)
    label = {"x": -0.03, "ha": "right", "transform": axes.transAxes}
    vertical = "bottom" if strength else "center"
    axes.text(y=0.5, s=name.replace("_", " "), va=vertical, fontweight="bold", **label)
    axes.text(y=0.47, s=strength, va="top", color=style.MUTED, **label)
