import io
import random
import warnings

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from histopatch.data import tiff
from histopatch.data.plain_tiff import read_plain_tiff

SIZE = 20


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def encoded(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", **options)
    return buffer.getvalue()


def test_a_plain_file_is_read_without_a_copy(pixels):
    content = encoded(Image.fromarray(pixels), tiffinfo={305: "Scanner 2.1", 270: "tissue"})
    plain = read_plain_tiff(content)
    assert np.array_equal(plain.pixels, pixels)
    assert not plain.pixels.flags.owndata
    assert plain.software == "Scanner 2.1"
    assert read_plain_tiff(encoded(Image.fromarray(pixels))).software is None


@pytest.mark.parametrize(
    "content",
    [
        lambda image: encoded(image.convert("L")),
        lambda image: encoded(image.convert("RGBA")),
        lambda image: encoded(image, compression="tiff_lzw"),
        lambda image: encoded(image, big_tiff=True),
        lambda image: encoded(image, save_all=True, append_images=[image]),
        lambda image: encoded(image, tiffinfo={274: 6}),
        lambda image: encoded(image, tiffinfo={700: b"<xmp>"}),
        lambda image: encoded(image, tiffinfo={278: 5}),
        lambda image: encoded(image)[:-1],
        lambda image: b"II*\0",
        lambda image: b"",
        lambda image: b"\x89PNG",
    ],
    ids=[
        "grey",
        "alpha",
        "LZW",
        "BigTIFF",
        "pages",
        "turned",
        "XMP",
        "strips",
        "cut",
        "header",
        "empty",
        "PNG",
    ],
)
def test_other_files_are_left_to_pillow(pixels, content):
    assert read_plain_tiff(content(Image.fromarray(pixels))) is None


def test_whatever_is_read_is_what_pillow_reads(pixels):
    """Files with other bytes in their tags: if the pixels are read, Pillow takes them for the same."""
    whole = encoded(Image.fromarray(pixels), tiffinfo={305: "Scanner 2.1"})
    tags = len(whole) - pixels.nbytes
    draw = random.Random(0)
    read = 0
    for _ in range(5000):
        content = bytearray(whole)
        for _ in range(draw.choice([1, 1, 2])):
            content[draw.randrange(tags)] = draw.choice([*range(6), 8, 16, SIZE, draw.randrange(256)])
        plain = read_plain_tiff(bytes(content))
        if plain is None:
            continue
        read += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
                assert isinstance(image, TiffImagePlugin.TiffImageFile)
                assert tiff.kind_fault(image.tag_v2) is None
                assert tiff.data_fault(image, bytes(content)) is None
                assert not image.is_animated
                assert np.array_equal(np.asarray(image), plain.pixels)
    assert read > 500
