import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from histopatch.data.provenance import provenance


def stored(kind: str, **options) -> dict:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    with Image.open(buffer) as image:
        return provenance(image)


def exif(software) -> Image.Exif:
    tags = Image.Exif()
    tags[305] = software
    return tags


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 90, 95, 99, 100])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_the_quality_of_a_jpeg_is_that_which_it_was_saved_with(quality, options):
    assert stored("JPEG", quality=quality, **options)["quality"] == pytest.approx(quality, abs=1)


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
def test_the_format_is_that_of_the_content(kind):
    found = stored(kind)
    assert found["format"] == kind
    assert (found["quality"] is None) == (kind != "JPEG")
    assert found["software"] is None


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", lambda name: {"tiffinfo": {305: name}}),
        ("JPEG", lambda name: {"exif": exif(name)}),
        ("PNG", lambda name: {"exif": exif(name)}),
    ],
)
def test_the_software_is_found_and_made_one_short_line(kind, options):
    assert stored(kind, **options("Scanner 2.1"))["software"] == "Scanner 2.1"
    assert stored(kind, **options(" Scanner\r\n\t2.1\x1b[31m "))["software"] == "Scanner 2.1 [31m"
    assert stored(kind, **options("x" * 1000))["software"] == "x" * 60


def test_the_software_of_a_png_may_be_text():
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Scanner")
    assert stored("PNG", pnginfo=text)["software"] == "Scanner"


@pytest.mark.input("Images", "metadata that cannot be read", "used: its columns of the index stay empty")
def test_damaged_metadata_spoils_no_image():
    assert stored("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(20))["software"] is None
