import contextlib
import io
import os
import random
import socket
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from histopatch.data import png as png_chunks
from histopatch.data.decode import LARGEST_FILE, decode, read_size

SIZE = 96
Tag = ExifTags.Base


@pytest.fixture(scope="module")
def tissue(patches) -> Image.Image:
    return Image.fromarray(patches[0])


@pytest.fixture
def decoded(tmp_path):
    """Decode the content of a file: its pixels, or the reason why it is set aside."""

    def run(content: bytes | Path, size: int = SIZE) -> np.ndarray | str:
        path = content
        if isinstance(content, bytes):
            path = tmp_path / "image.tif"
            path.write_bytes(content)
        target = np.zeros((size, size, 3), np.uint8)
        reason = decode(path, target).get("reason")
        assert reason is None or not target.any(), "an image that is set aside left pixels"
        assert reason is None or reason.isprintable()
        return target if reason is None else reason

    return run


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: np.ndarray, changes: dict | None = None, order: str = "<") -> bytes:
    """An uncompressed TIFF, H×W×channels, with tags changed (values of 32 bits) or left out (None)."""
    height, width, channels = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    tags = {
        Tag.ImageWidth: [width],
        Tag.ImageLength: [height],
        Tag.BitsPerSample: [8 * pixels.itemsize] * channels,
        Tag.Compression: [1],
        Tag.PhotometricInterpretation: [2 if channels >= 3 else 1],
        Tag.StripOffsets: [0],
        Tag.SamplesPerPixel: [channels],
        Tag.StripByteCounts: [len(data)],
    } | (changes or {})
    tags = {tag: values for tag, values in sorted(tags.items()) if values is not None}
    values_at = 8 + 2 + 12 * len(tags) + 4
    pixels_at = values_at + sum(4 * len(values) for values in tags.values() if len(values) > 1)
    if tags.get(Tag.StripOffsets) == [0]:
        tags[Tag.StripOffsets] = [pixels_at]
    entries, behind = b"", b""
    for tag, values in tags.items():
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            behind, packed = behind + packed, struct.pack(order + "I", values_at + len(behind))
        entries += struct.pack(order + "HHI", tag, 4, len(values)) + packed
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4) + behind + data


def png(bits: int, colour: int, row: bytes, *chunks: tuple[bytes, bytes], filler: int = 0) -> bytes:
    """A PNG of equal rows."""
    header = struct.pack(">IIBBBBB", SIZE, SIZE, bits, colour, 0, 0, 0)
    data = zlib.compress((b"\0" + row) * SIZE)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


# --- what values mean -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            lambda image: tiff(np.asarray(image, np.uint16) * 16),
            "16 bits a channel",
            marks=pytest.mark.input(
                "Images",
                "16 bits a channel in RGB, also if 8 or 12 of them are used",
                "set aside: `16 bits a channel`",
            ),
            id="TIFF",
        ),
        pytest.param(
            lambda image: tiff(np.asarray(image, np.uint16), order=">"), "16 bits a channel", id="big-endian"
        ),
        pytest.param(lambda image: png(16, 2, bytes([0, 200]) * 3 * SIZE), "16 bits a channel", id="PNG"),
        pytest.param(
            lambda image: png(16, 6, bytes([0, 200]) * 4 * SIZE), "16 bits a channel", id="PNG RGBA"
        ),
        pytest.param(
            lambda image: png(16, 0, bytes([0, 200]) * SIZE),
            "16 bits a channel",
            id="PNG grey",
            marks=pytest.mark.input("Images", "16 bits in grey", "set aside: `16 bits a channel`"),
        ),
        pytest.param(
            lambda image: encoded(image.convert("L").convert("I;16"), "TIFF"),
            "16 bits a channel",
            id="TIFF grey",
        ),
        pytest.param(
            lambda image: tiff(np.asarray(image, np.float32) / 255, {Tag.SampleFormat: [3, 3, 3]}),
            "32 bits a channel",
            id="float RGB",
            marks=pytest.mark.input(
                "Images", "32-bit numbers, integer or float", "set aside: `32 bits a channel`"
            ),
        ),
        pytest.param(lambda image: encoded(image.convert("F"), "TIFF"), "32 bits a channel", id="float grey"),
        pytest.param(
            lambda image: tiff(np.asarray(image), {Tag.SampleFormat: [2, 2, 2]}),
            "signed numbers",
            id="signed",
            marks=pytest.mark.input(
                "Images", "signed 8-bit numbers", "set aside: `signed numbers a channel`"
            ),
        ),
        pytest.param(
            lambda image: tiff(np.asarray(image.convert("L"))[..., None], {Tag.SampleFormat: [2]}),
            "signed numbers",
            id="signed grey",
        ),
        pytest.param(
            lambda image: encoded(image.convert("1"), "TIFF"),
            "mode 1 is not 8-bit",
            id="1 bit",
            marks=pytest.mark.input(
                "Images", "1 bit a pixel", "set aside: `mode 1 is not 8-bit colour or grey`"
            ),
        ),
        pytest.param(
            lambda image: png(1, 0, bytes([0xF0]) * (SIZE // 8)), "mode 1 is not 8-bit", id="1 bit PNG"
        ),
        pytest.param(
            lambda image: encoded(image.convert("CMYK"), "JPEG"),
            "mode CMYK is not 8-bit",
            id="CMYK JPEG",
            marks=pytest.mark.input(
                "Images",
                "CMYK, in TIFF or in JPEG, where some programs invert it",
                "set aside: `mode CMYK …`",
            ),
        ),
        pytest.param(
            lambda image: encoded(image.convert("CMYK"), "TIFF"), "mode CMYK is not 8-bit", id="CMYK TIFF"
        ),
        pytest.param(
            lambda image: encoded(image.convert("LAB"), "TIFF"),
            "mode LAB is not 8-bit",
            id="LAB",
            marks=pytest.mark.input("Images", "LAB, or YCbCr without compression", "set aside: `mode LAB …`"),
        ),
        pytest.param(
            lambda image: encoded(image.convert("YCbCr"), "TIFF"), "mode YCbCr is not 8-bit", id="YCbCr"
        ),
        pytest.param(
            lambda image: tiff(
                np.asarray(image.convert("L"))[..., None], {Tag.PhotometricInterpretation: None}
            ),
            "a TIFF that does not say whether 0 is black or white",
            id="no meaning",
            marks=pytest.mark.input(
                "Images", "a grey TIFF that does not say whether 0 is black", "set aside with this reason"
            ),
        ),
        pytest.param(
            lambda image: tiff(np.zeros((SIZE, SIZE, 5), np.uint8), {Tag.ExtraSamples: [0, 0]}),
            "5 channels",
            id="5 channels",
            marks=pytest.mark.input(
                "Images", "two, five or more channels", "set aside: `5 channels; save it in RGB`"
            ),
        ),
        pytest.param(
            lambda image: tiff(np.zeros((SIZE, SIZE, 2), np.uint8)), "2 channels of 8 bits", id="2 channels"
        ),
        pytest.param(
            lambda image: tiff(np.zeros((SIZE, SIZE, 3), np.uint8), {Tag.PhotometricInterpretation: [1]}),
            "3 channels of 8 bits",
            id="3 grey channels",
        ),
    ],
)
def test_values_that_are_not_eight_bits_of_rgb_or_grey_are_set_aside(tissue, decoded, content, reason):
    assert decoded(content(tissue)).startswith(reason)


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        pytest.param(
            lambda image: tiff(
                255 - np.asarray(image.convert("L"))[..., None], {Tag.PhotometricInterpretation: [0]}
            ),
            "L",
            id="MinIsWhite",
            marks=pytest.mark.input("Images", "a grey TIFF in which 0 is white", "read correctly"),
        ),
        pytest.param(
            lambda image: encoded(image.convert("L"), "JPEG", quality=100),
            "L",
            id="grey JPEG",
            marks=pytest.mark.input("Images", "8 bits in grey", "the three channels are the same"),
        ),
        pytest.param(
            lambda image: tiff(np.asarray(image), order=">"),
            "RGB",
            id="big-endian",
            marks=pytest.mark.input(
                "Images",
                "a big-endian TIFF, BigTIFF, strips or tiles, LZW, deflate, JPEG inside",
                "read correctly",
            ),
        ),
        pytest.param(
            lambda image: encoded(image, "TIFF", compression="jpeg", quality=100), "RGB", id="JPEG in TIFF"
        ),
        pytest.param(lambda image: encoded(image, "TIFF", compression="packbits"), "RGB", id="PackBits"),
        pytest.param(
            lambda image: planar(np.asarray(image)),
            "RGB",
            id="planar",
            marks=pytest.mark.input(
                "Images", "a TIFF with one plane for each channel, declared as such", "read correctly"
            ),
        ),
        pytest.param(
            lambda image: tiff(np.asarray(image), {Tag.StripByteCounts: None}), "RGB", id="no counts"
        ),
    ],
)
def test_unusual_ways_to_store_eight_bits_are_read_right(tissue, decoded, content, mode):
    pixels = decoded(content(tissue))
    expected = np.asarray(tissue.convert(mode).convert("RGB"), int)
    assert np.abs(pixels - expected).mean() < 2  # JPEG is not exact


def planar(pixels: np.ndarray) -> bytes:
    """Channel after channel in one page."""
    plane = SIZE * SIZE
    where = {Tag.StripOffsets: [0] * 3, Tag.StripByteCounts: [plane] * 3, Tag.PlanarConfiguration: [2]}
    start = len(tiff(pixels, where)) - 3 * plane
    where[Tag.StripOffsets] = [start, start + plane, start + 2 * plane]
    return tiff(pixels.transpose(2, 0, 1).reshape(pixels.shape), where)


@pytest.mark.input("Images", "2 or 4 bits in grey", "scaled to 0–255")
@pytest.mark.parametrize(
    "content",
    [
        png(2, 0, bytes([0b10101010]) * (SIZE // 4)),
        png(4, 0, bytes([0b10101010]) * (SIZE // 2)),
        tiff(
            np.full((SIZE, SIZE // 2, 1), 0b10101010, np.uint8),
            {Tag.ImageWidth: [SIZE], Tag.BitsPerSample: [4]},
        ),
    ],
    ids=["2 bits", "4 bits", "4 bits in a TIFF"],
)
def test_few_bits_of_grey_are_scaled(decoded, content):
    assert (decoded(content) == 170).all()


@pytest.mark.input("Images", "an EXIF orientation, in TIFF, JPEG or PNG", "turned as it says")
@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG"])
def test_an_image_is_turned_as_its_metadata_say(tissue, decoded, kind):
    exif = Image.Exif()
    exif[Tag.Orientation] = 6
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    pixels = decoded(encoded(tissue, kind, exif=exif, **options))
    assert np.abs(pixels.astype(int) - np.rot90(np.asarray(tissue), -1)).mean() < 2


# --- transparency -----------------------------------------------------------------------------------


def with_hole(mode: str, tissue: Image.Image) -> Image.Image:
    """A grey image with a black, transparent corner, as where a slide has no data."""
    grey = np.asarray(tissue.convert("L")).copy()
    grey[:8, :8] = 0
    alpha = np.full_like(grey, 255)
    alpha[:8, :8] = 0
    image = Image.fromarray(grey)
    image.putalpha(Image.fromarray(alpha))
    return image.convert(mode)


@pytest.mark.input(
    "Images", "transparent pixels: RGBA, grey with alpha, palettes, a transparent colour", "white"
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_become_white(tissue, decoded, mode, kind):
    check_hole(decoded(encoded(with_hole(mode, tissue), kind)), tissue)


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_transparent_colour_becomes_white(tissue, decoded, mode):
    grey = np.asarray(tissue.convert("L")).clip(1).copy()
    grey[:8, :8] = 0
    image = Image.fromarray(grey)
    if mode == "P":
        image.putpalette([value for grey in range(256) for value in (grey, grey, grey)])
    image = image.convert(mode)
    check_hole(decoded(encoded(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)), tissue)


def check_hole(pixels: np.ndarray, tissue: Image.Image) -> None:
    assert (pixels[:8, :8] == 255).all()
    assert np.array_equal(pixels[8:, :, 0], np.asarray(tissue.convert("L"))[8:])


# --- several pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            lambda image: encoded(image, "TIFF", save_all=True, append_images=[image]),
            id="pages",
            marks=pytest.mark.input(
                "Images",
                "several pages: a stack of channels (OME-TIFF, C×H×W), a pyramid, an animation",
                "set aside: `more than one page …`",
            ),
        ),
        pytest.param(
            lambda image: encoded(image.split()[0], "TIFF", save_all=True, append_images=image.split()[1:]),
            id="channel by channel",
        ),
        pytest.param(
            lambda image: encoded(image, "TIFF", save_all=True, append_images=[image.resize((24, 24))]),
            id="thumbnail",
        ),
        pytest.param(
            lambda image: encoded(image, "PNG", save_all=True, append_images=[image.rotate(90)]), id="APNG"
        ),
        pytest.param(
            lambda image: encoded(image, "GIF", save_all=True, append_images=[image.rotate(90)]), id="GIF"
        ),
        pytest.param(
            lambda image: encoded(image, "MPO", save_all=True, append_images=[image.rotate(90)]), id="MPO"
        ),
    ],
)
def test_more_than_one_page_is_set_aside(tissue, decoded, content):
    assert decoded(content(tissue)).startswith("more than one page")


# --- damage -----------------------------------------------------------------------------------------

JPEGS = [
    {"quality": quality} | options
    for quality in (5, 50, 90, 100)
    for options in (
        {},
        {"progressive": True},
        {"optimize": True, "subsampling": 0},
        {"restart_marker_blocks": 4},
        {"progressive": True, "restart_marker_blocks": 2},
    )
]


def drawn(patches: np.ndarray, size: int) -> list[Image.Image]:
    """Images of some size: tissue, noise, blank ones and half-blank ones."""
    tissue = np.tile(patches[0], (3, 3, 1))[:size, :size]
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    half = tissue.copy()
    half[size // 3 :] = 255
    dark = half.copy()
    dark[size // 3 :] = 0
    blank = [np.full_like(tissue, value) for value in (0, 255)]
    return [Image.fromarray(pixels) for pixels in (tissue, noise, half, dark, *blank)]


@pytest.mark.input("Images", "a JPEG with further bytes behind its end", "read correctly")
@pytest.mark.parametrize("size", [16, 50, 96, 256])
def test_a_whole_jpeg_is_never_set_aside(patches, decoded, size):
    behind = random.Random(0).randbytes(50)
    for image in drawn(patches, size):
        for options in JPEGS:
            for mode in ("RGB", "L"):
                with contextlib.suppress(OSError):  # Pillow cannot write noise in some ways
                    content = encoded(image.convert(mode), "JPEG", **options)
                    assert not isinstance(decoded(content, size), str), options
                    assert not isinstance(decoded(content + behind, size), str), options


def spoilt(content: bytes, at: float, by: str) -> bytes:
    """A JPEG that is damaged from some share of its coded data on."""
    start = content.index(b"\xff\xda") + 14
    place = start + int(at * (len(content) - 2 - start))
    rest = len(content) - 2 - place
    return (
        content[:place]
        + {
            "cut": b"",
            "cut with an end": b"\xff\xd9",
            "zeros": bytes(rest + 2),
            "zeros with an end": bytes(rest) + b"\xff\xd9",
            "junk": random.Random(place).randbytes(rest + 2),
        }[by]
    )


@pytest.mark.parametrize("options", [*JPEGS[:3], *JPEGS[5:8], JPEGS[10], JPEGS[12], JPEGS[13]], ids=str)
@pytest.mark.parametrize(
    "by",
    [
        pytest.param(
            "cut",
            marks=pytest.mark.input(
                "Images",
                "a JPEG that is cut off, with or without an end marker",
                "set aside: `unreadable: cut off …` or `damaged …`",
            ),
        ),
        "cut with an end",
        pytest.param(
            "zeros",
            marks=pytest.mark.input(
                "Images",
                "a JPEG whose rest is zeros or other bytes",
                "set aside: `unreadable: cut off …` or `damaged …`; a progressive one not always",
            ),
        ),
        "zeros with an end",
        "junk",
    ],
)
def test_a_damaged_jpeg_is_set_aside(tissue, decoded, options, by):
    places = (0.1, 0.5, 0.8)
    if by == "zeros with an end" and options.get("progressive"):
        places = (0.1, 0.2)  # further on, zeros are valid data of a progressive image
    for at in places:
        reason = decoded(spoilt(encoded(tissue, "JPEG", **options), at, by))
        assert isinstance(reason, str) and reason.startswith(
            ("unreadable: cut off", "unreadable: damaged")
        ), at


def test_a_jpeg_without_a_restart_marker_is_set_aside(tissue, decoded):
    content = encoded(tissue, "JPEG", restart_marker_blocks=4)
    assert "restart markers are missing" in decoded(content[: content.index(b"\xff\xd3")] + b"\xff\xd9")
    assert "out of place" in decoded(content.replace(b"\xff\xd1", b"\xff\xd5", 1))


@pytest.mark.input(
    "Images", "a PNG with a wrong checksum, or without its end", "set aside: `unreadable: damaged …`"
)
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda content: content[:-12], "cut off: it has no end chunk"),
        (lambda content: content[: len(content) // 2], "cut off: it has no end chunk"),
        (
            lambda content: content[: len(content) // 2] + bytes(len(content) // 2),
            "damaged: a checksum is wrong",
        ),
        (lambda content: content[:200] + b"\x55" + content[201:], "damaged: a checksum is wrong"),
    ],
    ids=["no end", "cut", "zeros", "byte"],
)
def test_a_damaged_png_is_set_aside(tissue, decoded, spoil, reason):
    assert decoded(spoil(encoded(tissue, "PNG"))) == f"unreadable: {reason}"


@pytest.mark.input(
    "Images", "a compressed TIFF that is cut off or whose rest is zeros", "set aside: `unreadable: …`"
)
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
@pytest.mark.parametrize("part", [0.3, 0.8, 0.97])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_damaged_compressed_tiff_is_set_aside(tissue, decoded, compression, part, zeros):
    whole = encoded(tissue, "TIFF", compression=compression)
    assert not isinstance(decoded(whole), str)
    with Image.open(io.BytesIO(whole)) as image:
        offset, count = image.tag_v2[Tag.StripOffsets][-1], image.tag_v2[Tag.StripByteCounts][-1]
    place = offset + int(part * count)
    spoilt = whole[:place] + bytes(offset + count - place) + whole[offset + count :]
    assert decoded(spoilt if zeros else whole[:place]).startswith("unreadable: ")


@pytest.mark.input(
    "Images",
    "an uncompressed TIFF that is cut off, or whose strips are too short or too few",
    "set aside: `unreadable: cut off …`",
)
def test_a_tiff_with_short_strips_is_set_aside(tissue, decoded):
    reason = decoded(tiff(np.asarray(tissue), {Tag.StripByteCounts: [100]}))
    assert reason == "unreadable: cut off: its strips are too short for its pixels"
    fewer = decoded(tiff(np.asarray(tissue), {Tag.RowsPerStrip: [10]}))
    assert fewer == "unreadable: cut off: it has fewer strips than its pixels need"
    whole = tiff(np.asarray(tissue))
    assert decoded(whole[: len(whole) // 2]) == "unreadable: cut off: its data end too early"


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate"])
def test_a_tiff_without_its_last_bytes_is_cut_off(tissue, decoded, compression):
    file = io.BytesIO()
    tissue.save(file, "TIFF", compression=compression)
    for lost in range(1, 200):
        assert decoded(file.getvalue()[:-lost]).startswith("unreadable: cut off: ")


# --- no images --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            b"",
            "the file is empty",
            marks=pytest.mark.input("Images", "an empty file", "set aside: `unreadable: the file is empty`"),
        ),
        pytest.param(
            bytes(5000),
            "the file begins with zeros",
            marks=pytest.mark.input(
                "Images", "a file of zeros", "set aside: `unreadable: the file begins with zeros`"
            ),
        ),
        pytest.param(
            b"<!DOCTYPE html><p>Sign in",
            "a web page",
            marks=pytest.mark.input(
                "Images",
                "a web page, a Git LFS pointer, a text, an archive, DICOM, JPEG 2000 … under an image's name",
                "set aside: `unreadable:` and what it is",
            ),
        ),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "a Git LFS pointer; fetch the images with `git lfs pull`",
        ),
        pytest.param(b"PK\x03\x04" + bytes(50), "a ZIP archive"),
        pytest.param(
            b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "a JPEG 2000 image; save it as TIFF, PNG or JPEG"
        ),
        pytest.param(bytes(128) + b"DICM" + bytes(50), "a DICOM file; save its pixels as TIFF or PNG"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", "a WebP image; save it as TIFF, PNG or JPEG"),
        pytest.param(b"no image\nat all", "a text that begins 'no image\\nat all'"),
        pytest.param(b"\x01\x02\x80\xff", "no image; it begins with the bytes 01 02 80 ff"),
        pytest.param(
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 96\n",
            "PostScript",
            marks=pytest.mark.input(
                "Images",
                "PostScript, which another program would have to run",
                "set aside: `unreadable: PostScript`",
            ),
        ),
    ],
)
def test_what_is_no_image_is_named(decoded, content, reason):
    assert decoded(content) == f"unreadable: {reason}"


def test_a_missing_file_is_named_without_its_path(decoded, tmp_path):
    assert decoded(tmp_path / "none.tif") == "unreadable: no such file"


@pytest.mark.input("Images", "a link to an image", "read like the image")
def test_a_link_is_followed(tissue, decoded, tmp_path):
    tissue.save(tmp_path / "real.tif")
    (tmp_path / "link.tif").symlink_to("real.tif")
    assert np.array_equal(decoded(tmp_path / "link.tif"), np.asarray(tissue))
    assert read_size(tmp_path / "link.tif") == (SIZE, SIZE)


# --- hostile files ----------------------------------------------------------------------------------


@contextlib.contextmanager
def bounded(seconds: float = 2, megabytes: float = 80):
    tracemalloc.start()
    started = time.perf_counter()
    try:
        yield
        assert time.perf_counter() - started < seconds
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.input(
    "Images", "a folder, pipe, device or socket under an image's name", "set aside: `unreadable: a pipe, …`"
)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("folder", "a folder, not a file"),
        ("pipe", "a pipe, a device or a socket, not a file"),
        ("device", "a pipe, a device or a socket, not a file"),
        ("socket", "OSError: No such device or address"),
    ],
)
def test_what_is_no_regular_file_is_not_read(decoded, tmp_path, kind, reason):
    path = tmp_path / "x.tif"
    with contextlib.ExitStack() as stack:
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        with bounded():
            assert decoded(path) == f"unreadable: {reason}"
            assert isinstance(read_size(path), str)


@pytest.mark.input("Images", "a file of more than 16 MB", "set aside unread: `unreadable: … MB large …`")
def test_a_huge_file_is_not_read(decoded, tmp_path):
    path = tmp_path / "x.tif"
    with open(path, "wb") as file:
        file.truncate(10 * 2**30)
    with bounded():
        assert decoded(path) == "unreadable: 10,240 MB large; the file of a patch has at most 16 MB"


def test_the_largest_patch_is_below_the_limit():
    assert LARGEST_FILE > 1024 * 1024 * 4 * 2


def many_tags(count: int) -> bytes:
    entries = b"".join(struct.pack("<HHII", 256 + n % 60_000, 4, 1, 96) for n in range(count))
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)


def chained_pages(pixels: np.ndarray, count: int) -> bytes:
    """A TIFF with many empty pages behind the first one."""
    first = tiff(pixels)
    end = 8 + 2 + 12 * 8
    pages = b"".join(struct.pack("<HI", 0, len(first) + 6 * (n + 1)) for n in range(count))
    return first[:end] + struct.pack("<I", len(first)) + first[end + 4 :] + pages


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            lambda pixels: tiff(pixels, {Tag.ImageWidth: [2**31 - 1], Tag.ImageLength: [2**31 - 1]}),
            id="size",
            marks=pytest.mark.input(
                "Images",
                "absurd sizes, decompression bombs, a million tags, pages or chunks, loops of pages",
                "set aside before memory or time is spent",
            ),
        ),
        pytest.param(
            lambda pixels: png(8, 2, b"").replace(
                struct.pack(">II", SIZE, SIZE), struct.pack(">II", 2**30, 2**30)
            ),
            id="PNG size",
        ),
        pytest.param(lambda pixels: many_tags(65_000), id="tags"),
        pytest.param(lambda pixels: tiff(pixels, {Tag.StripOffsets: [0] * 3_000_000}), id="strips"),
        pytest.param(
            lambda pixels: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**40) + bytes(2**24 - 100),
            id="BigTIFF tags",
        ),
        pytest.param(lambda pixels: chained_pages(pixels, 1_000_000), id="pages"),
        pytest.param(
            lambda pixels: png(8, 2, bytes(3 * SIZE), *[(b"tEXt", b"a\0b")] * 500_000), id="PNG chunks"
        ),
        pytest.param(
            lambda pixels: png(
                8, 2, bytes(3 * SIZE), *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**27)))] * 20
            ),
            id="PNG text",
        ),
        pytest.param(
            lambda pixels: (
                encoded(Image.fromarray(pixels), "JPEG", progressive=True)[:-2] + SCAN * 100_000 + b"\xff\xd9"
            ),
            id="JPEG scans",
        ),
        pytest.param(
            lambda pixels: encoded(Image.fromarray(pixels), "JPEG")[:-2] + b"\xff\xd0" * 4_000_000,
            id="JPEG restarts",
        ),
    ],
)
def test_a_hostile_image_costs_neither_time_nor_memory(tissue, decoded, content):
    content = content(np.asarray(tissue))
    with bounded():
        assert isinstance(decoded(content), str)


SCAN = bytes.fromhex("ffda0008010100000210 00")


def test_a_loop_of_pages_ends(tissue, decoded):
    content = tiff(np.asarray(tissue))
    end = 8 + 2 + 12 * 8
    with bounded():
        assert np.array_equal(decoded(content[:end] + struct.pack("<I", 8) + content[end + 4 :]), tissue)


def test_a_long_text_in_a_png_is_no_fault(tissue, decoded):
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "b" * 2000, zip=True)
    assert np.array_equal(decoded(encoded(tissue, "PNG", pnginfo=text)), np.asarray(tissue))


def test_a_large_png_may_have_more_chunks(tissue, decoded, monkeypatch):
    """Encoders split pixels into chunks of 8 kB, thousands in an image of many pixels."""
    content = encoded(tissue, "PNG", compress_level=0)
    start = content.index(b"IDAT") - 4
    length = int.from_bytes(content[start : start + 4], "big")
    data = content[start + 8 : start + 8 + length]
    parts = [b"IDAT" + data[place : place + 8192] for place in range(0, length, 8192)]
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    monkeypatch.setattr(png_chunks, "MOST_CHUNKS", 2)
    whole = content[:start] + b"".join(chunks) + content[start + 12 + length :]
    assert np.array_equal(decoded(whole), np.asarray(tissue))
