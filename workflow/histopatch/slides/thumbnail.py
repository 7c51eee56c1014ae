"""A slide as one small picture, and which of its pixels show tissue."""

import numpy as np

from histopatch.data.appearance import DENSITY, TISSUE_DENSITY
from histopatch.slides.slide import Slide
from histopatch.slides.view import View

SIDE = 2048  # pixels, of the longer side
BLOCK = 1024  # pixels of the level read at a time
GLASS = 99.5  # percentile of a channel that bare glass has, where there is any
DARKEST_GLASS = 200  # pixel value; what is darker is tissue that covers the whole slide
BLACK = 30  # pixel value; stained tissue has a brighter channel, ink and what was not scanned have none


def thumbnail(slide: Slide) -> np.ndarray:
    """The whole slide, uint8 h×w×3, at most SIDE pixels wide and high; never more of it is in memory."""
    view = View.of(slide, max(1.0, max(slide.size) / SIDE))
    width, height = view.size
    small = np.empty((height, width, 3), np.uint8)
    step = max(1, int(BLOCK / view.factor))
    for y in range(0, height, step):
        for x in range(0, width, step):
            size = min(step, width - x), min(step, height - y)
            small[y : y + step, x : x + step] = view.read(x, y, *size)
    return small


def tissue_mask(pixels: np.ndarray) -> np.ndarray:
    """Whether each pixel of an image (uint8 h×w×3) is tissue: bool h×w.

    Tissue has an optical density, summed over the channels, of at least TISSUE_DENSITY above that of the
    slide's own glass. Black is none.
    """
    glass = [max(DARKEST_GLASS, _percentile(pixels[..., channel], GLASS)) for channel in range(3)]
    mask = np.empty(pixels.shape[:2], bool)
    for row, line in enumerate(pixels):  # a row at a time, which takes no memory
        density = (DENSITY[line] - DENSITY[glass]).sum(axis=-1)
        mask[row] = (density >= TISSUE_DENSITY) & (line.max(axis=-1) > BLACK)
    return mask


def _percentile(values: np.ndarray, percent: float) -> int:
    """Of uint8 values, from their counts."""
    counts = np.bincount(values.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(counts, percent / 100 * values.size))
