"""A slide at any resolution: regions are read from the best level and resampled."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from histopatch.slides.slide import Slide

# Resolutions that differ by less than this share are taken for the same: resampling would only blur.
ALIKE = 0.02
SUPPORT = 2  # pixels that bicubic interpolation looks at on either side


@dataclass(frozen=True)
class View:
    """A slide as an image of another resolution, of which nothing is in memory."""

    slide: Slide
    scale: float  # level-0 pixels per pixel of the view
    level: int  # that is read
    factor: float  # pixels of that level per pixel of the view; 1 where they are the same

    @classmethod
    def of(cls, slide: Slide, scale: float) -> Self:
        """The view with `scale` level-0 pixels per pixel, or those of a level that is as good as the same.

        It reads the coarsest level that is at least as fine.
        """
        fine_enough = [n for n, known in enumerate(slide.downsamples) if known <= scale * (1 + ALIKE)]
        level = max(fine_enough, default=0, key=lambda n: slide.downsamples[n])
        known = slide.downsamples[level]
        if abs(scale / known - 1) <= ALIKE:
            return cls(slide, known, level, 1.0)
        return cls(slide, scale, level, scale / known)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the view."""
        width, height = (math.floor(length / self.scale + 1e-6) for length in self.slide.size)
        return width, height

    def read(self, x: int, y: int, width: int, height: int) -> np.ndarray:
        """The region (uint8 height×width×3) whose corner is at x, y, all in pixels of the view."""
        if self.factor == 1:
            return self.slide.read(self.level, round(x * self.scale), round(y * self.scale), width, height)
        known = self.slide.downsamples[self.level]
        (left, right, first, last), (top, bottom, above, below) = (
            self._span(start, length, whole / known)
            for start, length, whole in zip((x, y), (width, height), self.slide.size, strict=True)
        )
        corner = round(first * known), round(above * known)
        region = Image.fromarray(self.slide.read(self.level, *corner, last - first, below - above))
        box = (left - first, top - above, min(right, last) - first, min(bottom, below) - above)
        return np.asarray(region.resize((width, height), Image.Resampling.BICUBIC, box))

    def _span(self, start: int, length: int, whole: float) -> tuple[float, float, int, int]:
        """From where to where a region reaches along an axis of the level, exactly and with what is around.

        whole: the length of the level.
        """
        low, high = start * self.factor, (start + length) * self.factor
        around = math.ceil(SUPPORT * max(self.factor, 1))
        return low, high, max(0, math.floor(low) - around), min(math.floor(whole), math.ceil(high) + around)
