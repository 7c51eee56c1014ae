import gzip

import h5py
import numpy as np
import pytest
from PIL import Image

from histopatch.data import pack, verify
from histopatch.data.arrays import PatchArrays
from histopatch.data.images import ImageFiles
from histopatch.data.listing import list_images
from histopatch.data.pack import pack_images

SIZE = 16


def save(path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), np.uint8)).save(path)


def images(folder) -> ImageFiles:
    names = list_images(folder)
    return ImageFiles(str(folder), names, names)


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A packed folder and what has changed in it since."""
    monkeypatch.setattr(pack, "CHUNK", 2)
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, name in enumerate("edcba"):
        save(folder / f"{name}.png", seed)
    files = [str(tmp_path / name) for name in ("train.npy", "index.parquet", "rejected.csv")]
    pack_images(images(folder), SIZE, *files, workers=1)
    return folder, lambda workers=1: verify.changed_images(images(folder), *files[:2], workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_untouched_folder_has_not_changed(packed, workers):
    _, changed = packed
    assert changed(workers) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_images_with_other_pixels_are_named(packed, workers):
    folder, changed = packed
    save(folder / "d.png", 99)
    save(folder / "a.png", 98)
    assert changed(workers) == ["a.png", "d.png"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: Image.new("RGB", (8, 8)).save(path),
    ],
    ids=["gone", "broken", "shape"],
)
def test_images_that_cannot_be_read_now_are_named(packed, spoil):
    folder, changed = packed
    spoil(folder / "c.png")
    assert changed() == ["c.png"]


def test_a_file_written_anew_with_the_same_pixels_has_not_changed(packed):
    folder, changed = packed
    with Image.open(folder / "b.png") as image:
        pixels = image.copy()
    pixels.save(folder / "b.png", compress_level=0)
    assert changed() == []


def test_an_image_that_came_since_is_not_looked_at(packed):
    folder, changed = packed
    save(folder / "f.png", 9)
    assert changed() == []


def test_an_image_that_was_set_aside_for_its_id_has_not_changed(packed, tmp_path):
    """Two files with one id: the pack has the first one."""
    folder, _ = packed
    save(folder / "b.tif", 9)
    files = [str(tmp_path / name) for name in ("two.npy", "two.csv", "aside.csv")]
    names = list_images(folder)
    both = ImageFiles(str(folder), [name[0] for name in names], names)
    pack_images(both, SIZE, *files, workers=1)
    assert verify.changed_images(both, *files[:2], workers=1) == []


def test_a_changed_row_of_an_array_names_the_file_once(tmp_path):
    path = tmp_path / "x.h5.gz"
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)

    def write() -> None:
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["x"] = pixels
        path.write_bytes(gzip.compress((tmp_path / "x.h5").read_bytes()))

    write()
    arrays = PatchArrays(str(tmp_path), [*"abcde"], [path.name] * 5, np.arange(5), "x")
    files = [str(tmp_path / name) for name in ("train.npy", "index.parquet", "rejected.csv")]
    pack_images(arrays, SIZE, *files, workers=1)
    assert verify.changed_images(arrays, *files[:2], workers=1) == []
    pixels[2:4] += 1
    write()
    assert verify.changed_images(arrays, *files[:2], workers=1) == [path.name]
