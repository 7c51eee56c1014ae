"""The probabilities of a slide's tiles as colours over its picture."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from PIL import Image

from histopatch.figures import style

HEAT = "viridis"  # the eye, colour-blind or not, and a printer see its order
SHOWN = 700  # pixels of the longer side of a picture as it is drawn; more take memory and are not seen
COVER = 0.6  # how much of the picture the colours hide
MOST_HEIGHT = 11.0  # inches
BARS = (1, 2, 5)  # lengths of a scale bar, times powers of ten


def draw_heat_map(
    picture: np.ndarray,
    tiles: pd.DataFrame,
    scale: float,
    title: str,
    positive: str,
    threshold: float,
    microns_per_pixel: float | None,
    path: str,
    dpi: int,
) -> None:
    """Draw the picture of a slide, and beside it the same in grey under the heat map.

    picture: uint8 h×w×3; tiles: `x,y,width,probability` in level-0 pixels; scale: level-0 pixels per pixel of
    the picture; title: what is shown; positive: what label 1 means; threshold: is marked; microns_per_pixel:
    at level 0, or None.
    """
    whole = picture.shape[1]
    small = Image.fromarray(picture)
    small.thumbnail((SHOWN, SHOWN))
    picture, scale = np.asarray(small), scale * whole / small.width
    height, width = picture.shape[:2]
    heat = heat_of(tiles, (height, width), scale)
    beside = height >= 0.75 * width
    rows, columns = (1, 2) if beside else (2, 1)
    with style.figure(path, dpi) as page:
        inches = style.WIDTH / columns * height / width * rows
        page.set_figheight(min(inches + 1.3, MOST_HEIGHT))
        axes = page.subplots(rows, columns)
        axes[0].imshow(picture)
        axes[1].imshow(small.convert("L"), cmap="gray", vmin=0, vmax=255)
        axes[1].imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=COVER, interpolation="nearest")
        for each in axes:
            each.set_axis_off()
        if microns_per_pixel:
            _scale_bar(axes[0], width, height, microns_per_pixel * scale)
        shown = ScalarMappable(Normalize(0, 1), HEAT)
        bar = page.colorbar(shown, ax=[*axes], location="bottom", shrink=0.5, aspect=35, alpha=COVER)
        bar.set_label(f"probability of {style.name(positive)}; the line is the threshold {threshold:.3f}")
        bar.ax.axvline(threshold, color=style.INK, lw=2)
        bar.outline.set_visible(False)
        style.heading(page, title)


def heat_of(tiles: pd.DataFrame, shape: tuple[int, int], scale: float) -> np.ndarray:
    """The mean probability of the tiles over each pixel of a picture: float32 h×w, NaN where there is none.

    tiles: `x,y,width,probability` in level-0 pixels; shape: h, w; scale: level-0 pixels per pixel of it.
    """
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    low = np.rint(tiles[["y", "x"]].to_numpy() / scale).astype(int)
    high = np.rint((tiles[["y", "x"]].to_numpy() + tiles[["width"]].to_numpy()) / scale).astype(int)
    high = np.maximum(high, low + 1)  # of a tile smaller than a pixel
    for (top, left), (bottom, right), probability in zip(low, high, tiles.probability, strict=True):
        total[top:bottom, left:right] += probability
        count[top:bottom, left:right] += 1
    return np.divide(total, count, out=np.full(shape, np.nan, np.float32), where=count > 0)


def _scale_bar(axes: Axes, width: int, height: int, microns_per_pixel: float) -> None:
    """A round length of about a fifth of the picture, below it on the left."""
    most = 0.2 * width * microns_per_pixel
    power = 10 ** np.floor(np.log10(most))
    length = max(times * power for times in BARS if times * power <= most)
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    y = 1.02 * height
    end = length / microns_per_pixel
    axes.plot([0, end], [y, y], color=style.INK, lw=3, clip_on=False, solid_capstyle="butt")
    axes.text(end + 0.01 * width, y, text, va="center", clip_on=False)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_xlim(-0.5, width - 0.5)
