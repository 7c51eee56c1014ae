import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from histopatch.errors import InputError
from histopatch.slides import plain_slide
from histopatch.slides.slide import open_slide


def test_a_real_slide(aperio):
    with open_slide(aperio) as slide:
        assert slide.size == (2220, 2967)
        assert slide.microns_per_pixel == pytest.approx(0.499)
        region = slide.read(0, 1000, 1500, 300, 200)
    assert region.shape == (200, 300, 3) and region.dtype == np.uint8
    assert region.std() > 20  # tissue


def test_the_levels_of_a_pyramid(pyramid, mosaic):
    with open_slide(pyramid(mosaic, 0.25, levels=3)) as slide:
        assert slide.microns_per_pixel == pytest.approx(0.25)
        assert slide.downsamples == (1, 2, 4)
        assert np.array_equal(slide.read(0, 100, 50, 200, 150), mosaic[50:200, 100:300])
        coarse = mosaic.reshape(288, 2, 384, 2, 3).mean((1, 3))
        assert np.abs(slide.read(1, 100, 50, 20, 10) - coarse[25:35, 50:70]).max() <= 0.5


def test_beyond_the_edge_a_slide_is_white(pyramid, mosaic):
    with open_slide(pyramid(mosaic)) as slide:
        region = slide.read(0, slide.size[0] - 10, 0, 20, 5)
    assert np.array_equal(region[:, :10], mosaic[:5, -10:])
    assert (region[:, 10:] == 255).all()


@pytest.mark.parametrize("name", ["image.png", "image.bmp", "strips.tif"])
def test_an_image_without_tiles_is_read_whole(tmp_path, mosaic, name):
    if name == "strips.tif":
        resolution = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(tmp_path / name, mosaic, photometric="rgb", **resolution)
    else:
        Image.fromarray(mosaic).save(tmp_path / name)
    with open_slide(tmp_path / name) as slide:
        assert (slide.size, slide.downsamples) == ((768, 576), (1.0,))
        assert slide.microns_per_pixel == (pytest.approx(0.5) if name == "strips.tif" else None)
        assert np.array_equal(slide.read(0, 7, 9, 30, 20), mosaic[9:29, 7:37])


@pytest.mark.parametrize("dots", [72, 300])
def test_the_resolution_of_a_printer_is_none(tmp_path, mosaic, dots):
    Image.fromarray(mosaic).save(tmp_path / "a.png", dpi=(dots, dots))
    with open_slide(tmp_path / "a.png") as slide:
        assert slide.microns_per_pixel is None


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (200, 100), (9, 9, 9, 0)).save(tmp_path / "a.png")
    with open_slide(tmp_path / "a.png") as slide:
        assert (slide.read(0, 0, 0, 200, 100) == 255).all()


@pytest.mark.input("Slides", "A file that is missing or no image", "refused: its path, and what it is not")
@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), (b"text", "neither a slide")])
def test_a_file_that_is_no_slide_is_refused(tmp_path, content, words):
    path = tmp_path / "a.svs"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as refused:
        open_slide(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.input(
    "Slides",
    "A large PNG, JPEG or TIFF without tiles",
    "refused: it would be in memory whole; how to tile it",
)
def test_a_large_image_without_tiles_is_refused(tmp_path, mosaic, monkeypatch):
    Image.fromarray(mosaic).save(tmp_path / "a.png")
    monkeypatch.setattr(plain_slide, "MOST_PIXELS", 100_000)
    with pytest.raises(InputError, match=r"768×576 px in a file without regions.*tiled TIFF"):
        open_slide(tmp_path / "a.png")


def test_a_large_file_without_tiles_is_refused(tmp_path, mosaic, monkeypatch):
    """Such as one whose first page is small."""
    Image.fromarray(mosaic).save(tmp_path / "a.tif")
    monkeypatch.setattr(plain_slide, "MOST_BYTES", 2**20)
    with pytest.raises(InputError, match=r"a\.tif: 1 MB in a file without regions.*tiled TIFF"):
        open_slide(tmp_path / "a.tif")


def test_an_image_without_tiles_is_decoded_when_it_is_read(tmp_path, mosaic, monkeypatch):
    Image.fromarray(mosaic).save(tmp_path / "a.png", dpi=(50_800, 50_800))
    decoded = []
    decode = plain_slide.pixels_as_stored
    monkeypatch.setattr(plain_slide, "pixels_as_stored", lambda *given: decoded.append(1) or decode(*given))
    with open_slide(tmp_path / "a.png") as slide:
        assert slide.size == (768, 576) and slide.microns_per_pixel == pytest.approx(0.5)
        assert not decoded
        slide.read(0, 0, 0, 9, 9)
        slide.read(0, 9, 9, 9, 9)
    assert len(decoded) == 1


def encoded(pixels: np.ndarray, kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def deep_png(pixels: np.ndarray) -> bytes:
    """16 bits of RGB, which Pillow reads and does not write."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def first_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def zeroed(content: bytes) -> bytes:
    """With zeros in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(2000) + content[middle + 2000 :]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            lambda pixels: deep_png(pixels.astype(">u2") * 256),
            "16 bits a channel; save it with 8",
            id="16 bits of RGB",
            marks=pytest.mark.input(
                "Slides",
                "An image without tiles that is damaged, or has other values than 8 bits of RGB or grey",
                "refused for what the image of a patch is set aside for",
            ),
        ),
        pytest.param(
            lambda pixels: encoded(pixels[..., 0].astype(np.uint16), "PNG"),
            "16 bits a channel; save it with 8",
            id="16 bits of grey",
        ),
        pytest.param(
            lambda pixels: first_half(encoded(pixels, "JPEG")) + b"\xff\xd9",
            "unreadable: damaged: its data end before its pixels",
            id="JPEG cut, with an end",
        ),
        pytest.param(
            lambda pixels: first_half(encoded(pixels, "JPEG")),
            "unreadable: cut off: it has no",
            id="JPEG cut",
        ),
        pytest.param(
            lambda pixels: zeroed(encoded(pixels, "PNG")),
            "unreadable: damaged: a checksum is wrong",
            id="PNG with zeros",
        ),
        pytest.param(
            lambda pixels: first_half(encoded(pixels, "TIFF")), "unreadable: cut off", id="TIFF cut"
        ),
        pytest.param(
            lambda pixels: zeroed(encoded(pixels, "TIFF", compression="tiff_adobe_deflate")),
            "unreadable: damaged: its data cannot be decompressed to the end",
            id="TIFF with zeros",
        ),
    ],
)
def test_what_no_patch_may_be_is_no_slide(tmp_path, mosaic, content, words):
    path = tmp_path / "a.img"
    path.write_bytes(content(mosaic))
    with pytest.raises(InputError, match=words) as refused, open_slide(path) as slide:
        slide.read(0, 0, 0, 20, 20)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.input(
    "Slides", "An EXIF orientation", "not applied: tiles lie where QuPath has them, in the file as it is"
)
@pytest.mark.parametrize(
    ("kind", "mode"),
    [("TIFF", "RGB"), ("TIFF", "RGBA"), ("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA")],
)
def test_a_slide_is_not_turned(tmp_path, mosaic, kind, mode):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    Image.fromarray(mosaic).convert(mode).save(tmp_path / "a.img", kind, exif=exif, **options)
    with open_slide(tmp_path / "a.img") as slide:
        assert slide.size == (768, 576)
        region = slide.read(0, 0, 0, *slide.size)
    assert region.shape == mosaic.shape
    assert np.abs(region - mosaic.astype(int)).mean() < 2


@pytest.mark.input("Slides", "A slide that is cut off", "refused: where it is damaged")
def test_a_damaged_slide_is_named(pyramid, mosaic):
    path = pyramid(mosaic)
    with open(path, "r+b") as file:
        file.seek(3000)
        file.write(bytes(400_000))
    with pytest.raises(InputError, match=r"slide\.tif: .*damaged") as refused, open_slide(path) as slide:
        slide.read(0, 0, 0, *slide.size)
    assert "\n" not in str(refused.value)
