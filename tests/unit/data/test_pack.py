import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image, TiffImagePlugin

from histopatch.data import chunks, pack
from histopatch.data.decode import decode
from histopatch.data.images import ImageFiles
from histopatch.data.listing import list_images
from histopatch.errors import InputError
from histopatch.files import read_table
from histopatch.fingerprints import LIBRARY

SIZE = 24


class Packed(NamedTuple):
    array: np.ndarray
    index: pd.DataFrame
    rejected: pd.DataFrame
    folder: Path


def random_pixels(seed: int, shape=(SIZE, SIZE, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, seed: int, mode: str = "RGB", size: int = SIZE) -> None:
    Image.fromarray(random_pixels(seed, (size, size, 3))).convert(mode).save(path)


@pytest.fixture
def images(tmp_path) -> Path:
    """Five good images, written in an order other than that of their names."""
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, name in enumerate(["c.tif", "a.tif", "e.png", "b.tif", "d.tiff"]):
        save(folder / name, seed)
    return folder


@pytest.fixture
def packed(tmp_path):
    """Pack a folder and read the three files."""

    def run(folder: Path, workers: int = 1, size: int = SIZE) -> Packed:
        out = tmp_path / f"pack-{workers}"
        paths = [str(out / name) for name in ("train.npy", "train.index.parquet", "train.rejected.csv")]
        pack.pack_images(files_in(folder), size, *paths, workers=workers)
        return Packed(np.load(paths[0], mmap_mode="r"), *map(read_table, paths[1:]), out)

    return run


def files_in(folder: Path) -> ImageFiles:
    """The images of a folder, whose ids are their names without a suffix."""
    files = list_images(folder)
    return ImageFiles(str(folder), [Path(file).stem for file in files], files)


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def check_statistics(image, pixels: np.ndarray) -> None:
    """A row of the index has the statistics that numpy computes of its image alone, to the last digit."""
    values = pixels.astype(float)
    assert (image.min, image.max) == (values.min(), values.max())
    assert (image.mean, image.std) == (round(values.mean(), 2), round(values.std(), 2))
    assert [image.red, image.green, image.blue] == values.mean((0, 1)).round(2).tolist()


def test_every_image_has_a_row_in_the_order_of_the_names(images, packed):
    result = packed(images)
    assert result.array.shape == (5, SIZE, SIZE, 3)
    assert result.array.dtype == np.uint8
    assert result.index.file.tolist() == ["a.tif", "b.tif", "c.tif", "d.tiff", "e.png"]
    assert result.index.id.tolist() == ["a", "b", "c", "d", "e"]
    assert result.index.row.tolist() == [0, 1, 2, 3, 4]
    assert result.rejected.empty
    assert list(result.rejected) == ["id", "file", "reason"]


def test_pixels_are_what_pil_decodes(images, packed):
    result = packed(images)
    for image in result.index.itertuples():
        assert np.array_equal(result.array[image.row], pixels_of(images / image.file))


def test_the_index_describes_the_pixels(images, packed):
    result = packed(images)
    for image in result.index.itertuples():
        assert (image.width, image.height, image.mode) == (SIZE, SIZE, "RGB")
        check_statistics(image, result.array[image.row])


def test_the_deviation_of_an_image_of_one_colour_is_zero(images, packed):
    Image.new("RGB", (SIZE, SIZE), (201, 201, 201)).save(images / "f.tif")
    assert packed(images).index.set_index("id").loc["f", "std"] == 0


def test_sums_over_a_large_image_do_not_overflow():
    pixels = np.zeros((2, 320, 320, 3), np.uint8)  # 320² × 3 × 255² / 2 is beyond 32 bits
    pixels[1, :160] = 255
    expected = {"min": 0, "max": 255, "mean": 127.5, "std": 127.5} | dict.fromkeys(
        ("red", "green", "blue"), 127.5
    )
    assert pack.statistics(pixels)[1] == expected


@pytest.mark.parametrize("file", ["f.png", "f.tif"])
@pytest.mark.parametrize("mode", ["RGBA", "L", "P"])
def test_other_modes_of_eight_bits_become_colour(images, packed, mode, file):
    save(images / file, 9, mode)
    result = packed(images)
    row = result.index.set_index("id").loc["f"]
    assert row["mode"] == mode
    assert np.array_equal(result.array[row.row], pixels_of(images / file))


TURNED = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'


TIFFS = {
    "plain": {},
    "described": {"tiffinfo": {270: "described", 305: "a program", 339: 1}},
    "upright": {"tiffinfo": {274: 1}},
    "upside-down": {"tiffinfo": {274: 3}},
    "turned": {"tiffinfo": {274: 6}},
    "turned-xmp": {"tiffinfo": {700: TURNED}},
    "strips": {"tiffinfo": {278: 5}},
    "lzw": {"compression": "tiff_lzw"},
    "deflate": {"compression": "tiff_adobe_deflate"},
    "big": {"big_tiff": True},
}


@pytest.mark.parametrize("options", TIFFS.values(), ids=TIFFS)
def test_every_kind_of_tiff_is_packed_as_pil_decodes_it(images, packed, options):
    Image.fromarray(random_pixels(9)).save(images / "f.tif", **options)
    result = packed(images)
    row = result.index.set_index("id").loc["f", "row"]
    assert np.array_equal(result.array[row], pixels_of(images / "f.tif"))


def test_a_plain_tiff_is_read_without_pillows_loader(images, monkeypatch):
    """Pillow's loader would give the same pixels in twice the time."""
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", lambda image: pytest.fail("loaded"))
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    assert "reason" not in decode(images / "a.tif", pixels)
    assert np.array_equal(pixels, random_pixels(1))


@pytest.mark.parametrize("kind", ["BMP", "PNG", "JPEG", "PPM", "GIF"])
def test_the_content_counts_not_the_suffix(images, packed, kind):
    Image.fromarray(random_pixels(9)).save(images / "f.tif", kind)
    result = packed(images)
    row = result.index.set_index("id").loc["f", "row"]
    assert np.array_equal(result.array[row], pixels_of(images / "f.tif"))


def truncate(path: Path, length: int = SIZE * SIZE) -> None:
    save(path, 9)
    path.write_bytes(path.read_bytes()[:length])


def deep_grey(path: Path) -> None:
    Image.fromarray(np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) * 100).save(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "unreadable: cut off: its data end too early"),
        (lambda path: truncate(path, -1), "unreadable: cut off: its data end too early"),
        (lambda path: path.write_bytes(b""), "unreadable: "),
        (lambda path: path.write_text("no image"), "unreadable: "),
        (lambda path: path.mkdir(), "unreadable: "),
        (lambda path: save(path, 9, size=SIZE + 8), f"shape {SIZE + 8}×{SIZE + 8}, not {SIZE}×{SIZE}"),
        (lambda path: save(path, 9, mode="CMYK"), "mode CMYK is not 8-bit"),
        (deep_grey, "16 bits a channel"),
        (lambda path: save(path.with_suffix(".png"), 9), "same id as bb.png"),
    ],
    ids=["truncated", "short", "empty", "text", "folder", "shape", "cmyk", "16-bit", "repeated id"],
)
def test_an_image_that_cannot_be_used_is_set_aside_with_its_reason(images, packed, spoil, reason):
    """The other images keep their rows and their pixels."""
    bad = images / "bb.tif"
    spoil(bad)
    if not bad.exists():  # for the repeated id, where the .png file comes first
        save(bad, 10)
    result = packed(images)
    aside = result.rejected.set_index("file")
    assert list(aside.index) == ["bb.tif"]
    assert aside.loc["bb.tif", "id"] == "bb"
    assert aside.loc["bb.tif", "reason"].startswith(reason)
    assert set(result.index.id) - {"bb"} == set("abcde")
    assert "bb.tif" not in set(result.index.file)
    for image in result.index.itertuples():
        assert np.array_equal(result.array[image.row], pixels_of(images / image.file))


def test_good_images_among_bad_ones_have_the_statistics_of_their_own_pixels(images, packed):
    truncate(images / "aa.tif")
    save(images / "bb.tif", 9, size=SIZE + 8)
    (images / "cc.png").write_text("no image")
    result = packed(images)
    assert result.rejected.file.tolist() == ["aa.tif", "bb.tif", "cc.png"]
    assert result.index.row.tolist() == [0, 2, 4, 6, 7]
    for image in result.index.itertuples():
        check_statistics(image, pixels_of(images / image.file))


def test_an_image_with_the_id_of_an_unusable_one_is_used(images, packed):
    (images / "bb.png").write_text("no image")
    save(images / "bb.tif", 9)
    result = packed(images)
    assert result.index.set_index("id").loc["bb", "file"] == "bb.tif"
    assert result.rejected.file.tolist() == ["bb.png"]


def test_the_number_of_workers_changes_nothing(images, packed, monkeypatch):
    monkeypatch.setattr(pack, "CHUNK", 2)  # several tasks, which may end in any order
    truncate(images / "bb.tif")
    one, two = packed(images, workers=1), packed(images, workers=2)
    assert np.array_equal(one.array, two.array)
    pd.testing.assert_frame_equal(one.index, two.index)
    pd.testing.assert_frame_equal(one.rejected, two.rejected)
    for image in two.index.itertuples():
        assert np.array_equal(two.array[image.row], pixels_of(images / image.file))


def test_other_files_are_left_alone(images, packed):
    (images / "notes.txt").write_text("x")
    result = packed(images)
    assert len(result.array) == 5
    assert result.rejected.empty


def test_a_folder_without_images_is_refused(tmp_path, packed):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=rf"^{empty}: there are no images here"):
        packed(empty)


def test_a_folder_without_a_usable_image_is_refused_with_the_first_reason(images, packed):
    with pytest.raises(InputError, match=f"no usable image; .* shape {SIZE}×{SIZE}, not 96×96"):
        packed(images, size=96)


def test_nothing_but_the_three_files_is_left(images, packed):
    names = sorted(path.name for path in packed(images).folder.iterdir())
    assert names == ["train.index.parquet", "train.npy", "train.rejected.csv"]


def test_real_patches_are_packed_as_pil_decodes_them(sample, packed):
    result = packed(sample / "test", size=96)
    assert len(result.index) == len(list((sample / "test").glob("*.tif")))
    assert result.rejected.empty
    for image in result.index.itertuples():
        assert np.array_equal(result.array[image.row], pixels_of(sample / "test" / image.file))


@pytest.mark.input(
    "Images",
    "several images that are set aside",
    "a warning: the commonest reasons, with counts and an example each",
)
def test_reasons_are_said_in_warnings(images, packed, caplog):
    for number in range(3):
        save(images / f"s{number}.png", 9, size=SIZE + 8 + number)
    (images / "text.png").write_text("no image")
    with caplog.at_level(logging.WARNING):
        packed(images)
    assert [record.getMessage() for record in caplog.records] == [
        f"{images}: set aside: 3 images, such as 's0.png': shape 32×32, not 24×24",
        f"{images}: set aside: 1 image, 'text.png': unreadable: a text that begins 'no image'",
    ]


def test_only_the_commonest_reasons_are_said(images, packed, caplog):
    for letter in "abcdefg":
        (images / f"{letter}.jpg").write_text(letter)
    with caplog.at_level(logging.WARNING):
        packed(images)
    assert len(caplog.records) == 6
    assert caplog.records[-1].getMessage() == f"{images}: set aside: 2 images for other reasons"


@pytest.mark.input(
    "Images",
    "files of other kinds beside the images (.bmp, .webp, .jp2, .svs, .npy …)",
    "passed over; a warning counts them by kind, with an example each",
)
def test_what_is_passed_over_is_said_in_a_warning(images, packed, caplog):
    for name in ("x.bmp", "y.bmp", "z.svs", ".hidden.bmp"):
        (images / name).touch()
    with caplog.at_level(logging.WARNING):
        assert len(packed(images).array) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"{images}: passed over: 2 .bmp (such as 'x.bmp'), 1 .svs (such as 'z.svs')"
    ]


@pytest.mark.input("Images", "a file name that is not UTF-8", "set aside, shown as `\\xff.tif`")
def test_a_name_that_is_not_utf_8_is_set_aside(images, packed):
    save(images / "f.tif", 9)
    os.rename(images / "f.tif", os.fsencode(images) + b"/\xff.tif")
    result = packed(images)
    assert result.rejected.to_dict("list") == {
        "id": ["\\xff"], "file": ["\\xff.tif"], "reason": ["the name of the file is not UTF-8; rename it"],
    }  # fmt: skip
    assert len(result.index) == 5


def test_the_index_says_how_images_are_stored(images, packed):
    Image.fromarray(random_pixels(9)).save(images / "f.jpg", quality=80)
    Image.fromarray(random_pixels(9)).save(images / "g.tif", tiffinfo={305: "007"})
    index = packed(images).index.set_index("id")
    assert list(index)[-7:] == ["format", "bytes", "quality", "software", "red", "green", "blue"]
    assert index.format[["a", "e", "f"]].tolist() == ["TIFF", "PNG", "JPEG"]
    assert index.bytes["f"] == (images / "f.jpg").stat().st_size
    assert index.quality["f"] == 80 and index.quality[[*"abcde"]].isna().all()
    assert read_table(images.parent / "pack-1/train.index.parquet").set_index("id").software["g"] == "007"


def test_large_images_are_packed_a_few_at_a_time(images, packed, monkeypatch):
    """Whatever their size, a process has no more than some bytes of them."""
    counts = []
    decode_chunk = pack._decode_chunk
    monkeypatch.setattr(
        pack, "_decode_chunk", lambda *given: counts.append(len(given[0])) or decode_chunk(*given)
    )
    monkeypatch.setattr(pack, "worker_pool", lambda workers: ThreadPoolExecutor(1))
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 3 * SIZE**2)
    packed(images)
    assert counts == [2, 2, 1]


PACK = """
import sys, time
from pathlib import Path
from histopatch.data import pack
from histopatch.data.images import ImageFiles
from histopatch.data.listing import list_images

def slow(self, pixels, decode=ImageFiles.decode):
    time.sleep(0.05)
    return decode(self, pixels)

ImageFiles.decode, pack.CHUNK, pack.PART_SECONDS = slow, 2, 0
files = list_images(sys.argv[1])
images = ImageFiles(sys.argv[1], [Path(file).stem for file in files], files)
pack.pack_images(images, 24, *sys.argv[2:5], workers=2, code=sys.argv[5])
"""
NAMES = ("train.npy", "train.index.parquet", "train.rejected.csv")


@pytest.fixture
def half_packed(tmp_path) -> Path:
    """The folder of a pack of 80 images whose maker was killed while it was at work."""
    (tmp_path / "images").mkdir()
    for number in range(80):
        save(tmp_path / f"images/{number:02d}.png", number)
    (tmp_path / "images/07.png").write_text("no image")
    out = tmp_path / "out"
    paths = [str(out / name) for name in NAMES]
    process = subprocess.Popen(
        [sys.executable, "-c", PACK, str(tmp_path / "images"), *paths, "c0de"],
        env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
    )
    while len([*out.rglob(pack.KEPT_ROWS)]) < 8:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not [*out.glob("train.*")]
    return out


def pack_again(out: Path, code: str = "c0de") -> None:
    images = files_in(out.with_name("images"))
    pack.pack_images(images, SIZE, *[str(out / name) for name in NAMES], workers=2, code=code)


def test_a_pack_goes_on_where_a_kill_ended_it(half_packed, packed, caplog):
    with caplog.at_level(logging.INFO):
        pack_again(half_packed)
    (going_on,) = [record.args for record in caplog.records if "going on after" in record.msg]
    assert going_on[0] >= 16
    undisturbed = packed(half_packed.with_name("images"))
    assert sorted(os.listdir(half_packed)) == sorted(NAMES)
    for name in NAMES:
        assert (half_packed / name).read_bytes() == (undisturbed.folder / name).read_bytes()


@pytest.mark.parametrize("edit", ["code", "image", "name", "the array is gone"])
def test_what_was_packed_before_an_edit_is_packed_again(half_packed, packed, caplog, edit):
    folder = half_packed.with_name("images")
    if edit == "image":
        save(folder / "00.png", 1000)
    if edit == "name":
        (folder / "00.png").rename(folder / "000.png")
    if edit == "the array is gone":  # killed between moving it into place and the end
        next(half_packed.rglob("pixels.npy")).unlink()
    with caplog.at_level(logging.INFO):
        pack_again(half_packed, "c0ffee" if edit == "code" else "c0de")
    assert not [record for record in caplog.records if "going on after" in record.msg]
    undisturbed = packed(folder)
    for name in NAMES:
        assert (half_packed / name).read_bytes() == (undisturbed.folder / name).read_bytes()
