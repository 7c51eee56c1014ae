"""One image file to pixels, or the reason why it cannot be used."""

import contextlib
import io
import os
import stat
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from histopatch.data import jpeg, png, tiff
from histopatch.data.plain_tiff import read_plain_tiff
from histopatch.data.provenance import provenance, short
from histopatch.data.signatures import describe
from histopatch.errors import OF_A_LOST_DISK

# 8 bits a channel, converted to RGB without loss of intensity; what is transparent becomes white.
MODES = ("RGB", "RGBA", "L", "LA", "P", "PA")
TRANSPARENT = ("RGBA", "LA", "PA")
# The formats that are read whatever the file is called. TIFF first: else the others would look at it before.
FORMATS = ("TIFF", "PNG", "JPEG", "BMP", "GIF", "PPM")
# Faults that are found in the bytes alone, before a decoder sees them, by the first two bytes.
STRUCTURE_FAULTS = {
    b"II": tiff.structure_fault,
    b"MM": tiff.structure_fault,
    b"\x89P": png.structure_fault,
    b"\xff\xd8": jpeg.structure_fault,
}
# A patch of 1024×1024 px with four channels of 16 bits takes half of it, without compression.
LARGEST_FILE = 16 * 2**20
LONGEST_REASON = 200  # characters
UPRIGHT = 1  # an EXIF orientation


class UnusableError(Exception):
    """The reason why a file cannot be used."""


class UnreadableError(UnusableError):
    """The reason why a file is no whole image."""


def decode(path: str | Path, target: np.ndarray) -> dict:
    """Decode one image into `target` (size×size×3 uint8).

    Returns `mode`, `width`, `height`, `bytes` and what `provenance` tells, or `reason` if the image is
    unusable, which leaves zeros. Raises OSError where its disk fails.
    """
    height, width = target.shape[:2]
    content = b""
    try:
        content = _read(path)
        plain = read_plain_tiff(content)
        if plain is not None and plain.pixels.shape == target.shape:
            target[:] = plain.pixels
            record = {"mode": "RGB", "width": width, "height": height, "bytes": len(content)}
            return record | {"format": "TIFF", "quality": None, "software": short(plain.software)}
        with _open(content) as image:
            if image.size != (width, height):
                raise UnusableError(f"shape {image.width}×{image.height}, not {width}×{height}")
            if getattr(image, "is_animated", False):
                raise UnusableError("more than one page or channel by channel; save one RGB image in a file")
            target[:] = _pixels(image, content, upright=True)
            record = {"mode": image.mode, "width": width, "height": height, "bytes": len(content)}
            return record | provenance(image)
    except Exception as error:  # decoders raise exceptions of any kind; one bad file must not end the job
        if isinstance(error, OSError) and error.errno in OF_A_LOST_DISK:  # which is no fault of the image
            error.filename = str(path)
            raise
        target[:] = 0
        return {"reason": _reason(error, content)}


def read_size(path: str | Path) -> tuple[int, int] | str:
    """Width and height in pixels from the header of an image file, or the reason why it cannot be read."""
    content = b""
    try:
        content = _read(path)
        with _open(content) as image:
            return image.size
    except Exception as error:  # as above
        return _reason(error, content)


def pixels_as_stored(content: bytes) -> np.ndarray:
    """The pixels of a whole image file (uint8 h×w×3, RGB on white) as they lie in it, not turned upright.

    Of several pages it is the first. Raises UnusableError, one short line, for what `decode` would set aside
    for its values or because it is damaged.
    """
    try:
        with _open(content) as image:
            return _pixels(image, content, upright=False)
    except Exception as error:  # as above
        raise UnusableError(_reason(error, content)) from None


def _read(path: str | Path) -> bytes:
    """The content of a file, read whole: Pillow seeks back and forth in a file, a system call each time."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that nobody writes to must not block
    try:
        status = os.fstat(file)
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError("a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("a pipe, a device or a socket, not a file")
        if status.st_size > LARGEST_FILE:
            size = status.st_size >> 20
            raise UnreadableError(
                f"{size:,} MB large; the file of a patch has at most {LARGEST_FILE >> 20} MB"
            )
        return os.read(file, status.st_size)
    finally:
        os.close(file)


def _open(content: bytes) -> Image.Image:
    find_fault = STRUCTURE_FAULTS.get(content[:2])
    if find_fault and (fault := find_fault(content)):
        raise UnreadableError(fault)
    return Image.open(io.BytesIO(content), formats=FORMATS)


def _pixels(image: Image.Image, content: bytes, upright: bool) -> np.ndarray:
    """The pixels of an image in RGB and on white; upright: turned as its metadata say.

    Raises UnusableError for an image whose values could mean something else, or that is not whole.
    """
    if fault := _kind_fault(image, content):
        raise UnusableError(fault)
    if image.format == "TIFF" and (fault := tiff.data_fault(image, content)):
        raise UnreadableError(fault)
    if not upright:
        with contextlib.suppress(Exception):  # from metadata that cannot be read
            image.getexif()[ExifTags.Base.Orientation] = UPRIGHT
    image.load()  # which turns a TIFF
    if isinstance(image, JpegImagePlugin.JpegImageFile) and (fault := jpeg.data_fault(content, image)):
        raise UnreadableError(fault)
    transparent = image.mode in TRANSPARENT or "transparency" in image.info
    with contextlib.suppress(Exception):  # as above
        if "exif" in image.info and image.format != "TIFF":
            image = ImageOps.exif_transpose(image)
    if transparent:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _kind_fault(image: Image.Image, content: bytes) -> str | None:
    if image.format == "TIFF" and (fault := tiff.kind_fault(image.tag_v2)):
        return fault
    if image.format == "PNG" and png.bits(content) > 8:
        return f"{png.bits(content)} bits a channel; save it with 8"
    return None if image.mode in MODES else f"mode {image.mode} is not 8-bit colour or grey"


def _reason(error: Exception, content: bytes) -> str:
    """An error as one short line."""
    if isinstance(error, UnusableError):
        text = str(error)
    elif isinstance(error, UnidentifiedImageError):
        text = describe(content)
        if content.startswith(tiff.SIGNATURES):
            with contextlib.suppress(Exception):  # then its tags are damaged
                return tiff.unknown_kind(content)
    elif isinstance(error, FileNotFoundError):
        text = "no such file"
    elif str(error).startswith("image file is truncated"):  # Pillow's words for any format
        text = "cut off: its data end too early"
    else:
        text = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
    text = "".join(c if c.isprintable() else " " for c in text)[:LONGEST_REASON]
    return text if type(error) is UnusableError else f"unreadable: {text}"
