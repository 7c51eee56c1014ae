"""Images that are no pyramids, such as PNG or JPEG: their files have no regions, so they are read whole."""

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from histopatch.data.decode import FORMATS, MODES, TRANSPARENT
from histopatch.errors import InputError
from histopatch.slides.slide import plausible

MOST_PIXELS = 100_000_000  # 300 MB in memory
MICRONS_PER_INCH = 25_400


@dataclass(frozen=True)
class PlainSlide:
    """`Slide` over pixels (uint8 H×W×3) in memory, with one level."""

    path: str
    pixels: np.ndarray
    microns_per_pixel: float | None
    downsamples: tuple[float, ...] = (1.0,)
    origin: tuple[int, int] = (0, 0)

    @classmethod
    def open(cls, path: str) -> Self:
        """Raises InputError for a file that is no image with 8 bits a channel, or a large one."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, about metadata and about the size
                with Image.open(path, formats=FORMATS) as image:
                    return cls(path, _pixels(image, path), _microns_per_pixel(image))
        except InputError:
            raise
        except Exception as error:  # decoders raise exceptions of any kind
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"{path}: neither a slide that OpenSlide reads nor an image ({reason})"
            ) from None

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        return self.pixels[y : y + height, x : x + width]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        pass


def _pixels(image: Image.Image, path: str) -> np.ndarray:
    if image.width * image.height > MOST_PIXELS:
        raise InputError(
            f"{path}: {image.width:,}×{image.height:,} px in a file without regions, which would have to be "
            "in memory whole; save it as a tiled TIFF, for example with `vips tiffsave in.png out.tif --tile "
            "--pyramid --compression jpeg`"
        )
    if image.mode not in MODES:
        raise InputError(f"{path}: mode {image.mode} is not 8-bit colour or grey; convert it")
    if image.mode in TRANSPARENT or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _microns_per_pixel(image: Image.Image) -> float | None:
    dots_per_inch = float(image.info.get("dpi", (0, 0))[0])
    return plausible(MICRONS_PER_INCH / dots_per_inch if dots_per_inch > 0 else None)
