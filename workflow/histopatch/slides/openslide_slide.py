"""Slides that OpenSlide reads: SVS, NDPI, MRXS, SCN, BIF, tiled TIFF, DICOM and others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import openslide
from PIL import Image

from histopatch.errors import InputError
from histopatch.slides.slide import plausible

CACHE_BYTES = 2**22  # of decoded tiles: regions hardly share any


@dataclass(frozen=True)
class OpenSlideSlide:
    """`Slide` over an open OpenSlide."""

    path: str
    slide: openslide.OpenSlide
    size: tuple[int, int]
    microns_per_pixel: float | None
    downsamples: tuple[float, ...]
    origin: tuple[int, int]

    @classmethod
    def open(cls, path: str) -> Self | None:
        """None for a file that OpenSlide does not know."""
        try:
            slide = openslide.OpenSlide(path)
        except openslide.OpenSlideUnsupportedFormatError:
            return None
        except openslide.OpenSlideError as error:
            raise InputError(f"{path}: damaged, OpenSlide cannot read it ({error})") from None
        slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
        return cls(
            path,
            slide,
            slide.dimensions,
            _microns_per_pixel(slide.properties),
            tuple(slide.level_downsamples),
            _origin(slide.properties, slide.dimensions),
        )

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        try:
            region = self.slide.read_region((x, y), level, (width, height))
        except openslide.OpenSlideError as error:
            raise InputError(f"{self.path}: damaged near x {x}, y {y} ({error})") from None
        white = Image.new("RGB", region.size, "white")  # where nothing was scanned
        white.paste(region, mask=region.getchannel("A"))
        return np.asarray(white)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        self.slide.close()


def _microns_per_pixel(properties: Mapping[str, str]) -> float | None:
    """The mean of both directions, which differ in the last digits at most."""
    try:
        across, down = (float(properties[f"openslide.mpp-{axis}"]) for axis in "xy")
    except (KeyError, ValueError):
        return None
    return plausible((across + down) / 2)


def _origin(properties: Mapping[str, str], size: tuple[int, int]) -> tuple[int, int]:
    """The corner of what was scanned, where a slide has an empty margin that QuPath, too, leaves out."""
    try:
        x, y, *scanned = (
            int(properties[f"openslide.bounds-{what}"]) for what in ("x", "y", "width", "height")
        )
    except (KeyError, ValueError):
        return 0, 0
    cropped = all(part != whole for part, whole in zip(scanned, size, strict=True))
    return (x, y) if cropped else (0, 0)
