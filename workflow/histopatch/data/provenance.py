"""How an image was stored: its format, the quality of its JPEG compression and the software that wrote it.

If these differ between the classes, a network may learn them instead of the tissue.
"""

import functools
import io

from PIL import ExifTags, Image, JpegImagePlugin, TiffImagePlugin

LONGEST = 60  # characters of a name of software that are kept


def provenance(image: Image.Image) -> dict:
    """`format`, `quality` of a JPEG file (1 to 100) and `software`; None where there is none.

    Reads the header only, which takes some microseconds.
    """
    tables = image.quantization if isinstance(image, JpegImagePlugin.JpegImageFile) else {}
    return {
        "format": image.format,
        "quality": _quality(tables[min(tables)]) if tables else None,
        "software": _software(image),
    }


def _quality(table: list[int]) -> int:
    """The quality at which the usual encoder has the luminance table that is nearest to this one."""
    total = sum(table)
    sums = _sums_by_quality()
    return min(sums, key=lambda quality: abs(sums[quality] - total))


@functools.cache
def _sums_by_quality() -> dict[int, int]:
    """The sum of the luminance table of Pillow's encoder at each quality."""
    sums = {}
    for quality in range(100, 0, -1):
        buffer = io.BytesIO()
        Image.new("L", (1, 1)).save(buffer, "JPEG", quality=quality)
        with Image.open(buffer) as image:
            sums[quality] = sum(image.quantization[0])
    return sums


def _software(image: Image.Image) -> str | None:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        name = image.tag_v2.get(ExifTags.Base.Software)
    else:
        name = image.info.get("Software")
        if name is None and "exif" in image.info:
            name = image.getexif().get(ExifTags.Base.Software)
    return short(name)


def short(name: str | None) -> str | None:
    """A name of software in one short line; None if it is no text or has nothing to show."""
    if not isinstance(name, str):
        return None
    words = "".join(c if c.isprintable() else " " for c in name).split()
    return " ".join(words)[:LONGEST] or None
