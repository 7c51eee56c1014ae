"""A slide: an image larger than a patch, of which regions are read, at one or more resolutions."""

from pathlib import Path
from typing import Protocol, Self

import numpy as np

from histopatch.errors import InputError

# Microns per pixel that a microscope can have; a file that says 72 dpi, 353 µm, says nothing.
PLAUSIBLE = (0.02, 20.0)


class Slide(Protocol):
    """An open slide, to be used in a `with` block."""

    path: str
    size: tuple[int, int]  # width and height in pixels at level 0, its finest resolution
    microns_per_pixel: float | None  # at level 0; None where the file does not say
    downsamples: tuple[float, ...]  # level-0 pixels per pixel of each level, 1 first
    origin: tuple[int, int]  # where viewers that leave out the empty margin of a scan have their 0, 0

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        """The region (uint8 height×width×3, RGB on white) whose corner is at x, y in level-0 pixels.

        level: an index of `downsamples`, whose pixels width and height are. Raises InputError where the file
        is damaged there.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception) -> None: ...


def open_slide(path: str | Path) -> Slide:
    """Open what OpenSlide reads (SVS, NDPI, MRXS, tiled TIFF, DICOM, …), or another image that fits memory.

    Raises InputError, one line, for a file that is missing or is no such image.
    """
    # Not before a slide is asked for: everything else works without OpenSlide's library.
    from histopatch.slides.openslide_slide import OpenSlideSlide
    from histopatch.slides.plain_slide import PlainSlide

    if not Path(path).exists():
        raise InputError(f"{path}: there is no such file")
    return OpenSlideSlide.open(str(path)) or PlainSlide.open(str(path))


def plausible(microns_per_pixel: float | None) -> float | None:
    """A resolution that a microscope can have, or None."""
    low, high = PLAUSIBLE
    return microns_per_pixel if microns_per_pixel and low <= microns_per_pixel <= high else None
