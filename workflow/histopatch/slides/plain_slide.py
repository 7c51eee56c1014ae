"""Images that are no pyramids, such as PNG or JPEG: their files have no regions, so they are read whole."""

import functools
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import ExifTags, Image

from histopatch.data.decode import FORMATS, UnusableError, pixels_as_stored
from histopatch.errors import InputError
from histopatch.slides.slide import plausible

MOST_PIXELS = 100_000_000  # 300 MB in memory
MOST_BYTES = 5 * MOST_PIXELS  # of a file, which may have further pages
MICRONS_PER_INCH = 25_400


@dataclass(frozen=True)
class PlainSlide:
    """`Slide` over an image with one level, whose pixels are decoded when the first region is read."""

    path: str
    size: tuple[int, int]
    microns_per_pixel: float | None
    downsamples: tuple[float, ...] = (1.0,)
    origin: tuple[int, int] = (0, 0)

    @classmethod
    def open(cls, path: str) -> Self:
        """Read the header only. Raises InputError for a file that is no image, or a large one."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, about metadata and about the size
                with Image.open(path, formats=FORMATS) as image:
                    slide = cls(path, _size(image), _microns_per_pixel(image))
        except Exception as error:  # decoders raise exceptions of any kind
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"{path}: neither a slide that OpenSlide reads nor an image ({reason})"
            ) from None
        (width, height), file_bytes = slide.size, Path(path).stat().st_size
        if width * height > MOST_PIXELS or file_bytes > MOST_BYTES:
            length = f"{file_bytes >> 20:,} MB" if file_bytes > MOST_BYTES else f"{width:,}×{height:,} px"
            raise InputError(
                f"{path}: {length} in a file without regions, which would have to be in memory whole; save "
                "it as a tiled TIFF, for example with `vips tiffsave in.png out.tif --tile --pyramid "
                "--compression jpeg`"
            )
        return slide

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self._pixels[y : y + height, x : x + width]

    @functools.cached_property
    def _pixels(self) -> np.ndarray:
        # Not turned as its metadata may say: QuPath puts the tiles onto the image as the file has it.
        content = Path(self.path).read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return pixels_as_stored(content)
        except UnusableError as error:
            raise InputError(f"{self.path}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        pass


def _size(image: Image.Image) -> tuple[int, int]:
    """Width and height as stored; of a TIFF Pillow has those that it will have when it is turned."""
    if image.format == "TIFF":
        return image.tag_v2[ExifTags.Base.ImageWidth], image.tag_v2[ExifTags.Base.ImageLength]
    return image.size


def _microns_per_pixel(image: Image.Image) -> float | None:
    dots_per_inch = float(image.info.get("dpi", (0, 0))[0])
    return plausible(MICRONS_PER_INCH / dots_per_inch if dots_per_inch > 0 else None)
