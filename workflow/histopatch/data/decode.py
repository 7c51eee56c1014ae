"""One image file to pixels, or the reason why it cannot be used."""

import io
import math
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, TiffTags

from histopatch.data.provenance import provenance

MODES = ("RGB", "RGBA", "L", "P")  # 8 bits per channel, converted to RGB without loss of intensity
XMP = 700
# A TIFF with one of these tags is left to Pillow, which may rotate the image or read more than its strips.
SPECIAL_TAGS = (ExifTags.Base.Orientation, XMP, *TiffTags.TAGS_V2_GROUPS)

# Every format that Pillow knows, TIFF first: otherwise each of the others would look at the file before it.
Image.init()
FORMATS = ("TIFF", *(name for name in Image.ID if name != "TIFF"))


def decode(path: str | Path, target: np.ndarray) -> dict:
    """Decode one image into `target` (size×size×3 uint8).

    Returns `mode`, `width`, `height` and what `provenance` tells, or `reason` if the image is unusable,
    which leaves zeros.
    """
    height, width = target.shape[:2]
    try:
        # Read whole first: Pillow seeks back and forth in a file, a system call each time.
        with open(path, "rb", buffering=0) as file:
            content = file.read()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.size != (width, height):
                shape = f"{image.width}×{image.height}"
                return {"reason": f"shape {shape}, not {width}×{height}"}
            if image.mode not in MODES:
                return {"reason": f"mode {image.mode} is not 8-bit colour or grey"}
            plain = _plain_pixels(image, content)
            target[:] = np.asarray(image.convert("RGB")) if plain is None else plain
            record = {"mode": image.mode, "width": width, "height": height, "bytes": len(content)}
            return record | provenance(image)
    except Exception as error:  # decoders raise exceptions of any kind; one bad file must not end the job
        target[:] = 0
        return {"reason": f"unreadable: {type(error).__name__}"}


def read_size(path: str | Path) -> tuple[int, int] | None:
    """Width and height in pixels from the header of an image file; None if it cannot be read."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size
    except Exception:  # as above
        return None


def _plain_pixels(image: Image.Image, content: bytes) -> np.ndarray | None:
    """A view of the pixels of an uncompressed RGB TIFF with a single strip; None for all other images.

    Kaggle's images are of this kind. Pillow located the pixels when it opened the file; to load them it
    would parse the tags twice more and copy the pixels three times, half of the work on an image.
    """
    if image.format != "TIFF" or len(image.tile) != 1 or any(tag in image.tag_v2 for tag in SPECIAL_TAGS):
        return None
    codec, box, offset, arguments = image.tile[0]
    if (codec, box, arguments) != ("raw", (0, 0, *image.size), ("RGB", 0, 1)):
        return None
    shape = (image.height, image.width, 3)
    if offset + math.prod(shape) > len(content):
        return None  # truncated, which Pillow reports when it loads the pixels
    return np.frombuffer(content, np.uint8, math.prod(shape), offset).reshape(shape)
