from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.data.arrays import PatchArrays
from histopatch.data.images import ImageFiles
from histopatch.data.pack import pack_images
from histopatch.data.pixels import Pixels
from histopatch.data.shards import join_shards, pack_shard, part_of
from histopatch.errors import InputError
from histopatch.files import read_table

SIZE = 16


@pytest.fixture
def images(tmp_path) -> ImageFiles:
    """Eleven images; one is broken, one too large, and two share an id."""
    folder = tmp_path / "images"
    folder.mkdir()
    names = [f"{number:02d}.png" for number in range(9)] + ["03.tif", "09.png"]
    pixels = np.random.default_rng(0).integers(0, 256, (len(names), SIZE, SIZE, 3), np.uint8)
    for name, image in zip(names, pixels, strict=True):
        Image.fromarray(image).save(folder / name)
    (folder / "05.png").write_text("no image")
    Image.new("RGB", (SIZE, 2 * SIZE)).save(folder / "07.png")
    files = sorted(names)
    return ImageFiles(str(folder), [Path(file).stem for file in files], files)


def packed(images, folder: Path, shards: int = 1) -> list[str]:
    """The three files of a pack, made whole or in shards."""
    files = [str(folder / f"train.{kind}") for kind in ("npy", "index.parquet", "rejected.csv")]
    if shards == 1:
        pack_images(images, SIZE, *files, workers=1)
        return files
    made = [
        [str(folder / f"shards/{shard}.{kind}") for kind in ("npy", "parquet")] for shard in range(shards)
    ]
    for shard, paths in enumerate(made, 1):
        pack_shard(images, part_of(len(images), shard, shards), SIZE, *paths, workers=1)
    join_shards(*zip(*made, strict=True), images, *files)
    return files


@pytest.mark.parametrize("shards", [2, 3, 11, 20])
def test_a_pack_in_shards_is_the_pack(images, tmp_path, shards):
    whole = packed(images, tmp_path / "whole")
    joined = packed(images, tmp_path / "joined", shards)
    np.testing.assert_array_equal(Pixels(joined[0])[:], np.load(whole[0]))
    for one, other in zip(whole[1:], joined[1:], strict=True):
        pd.testing.assert_frame_equal(read_table(one), read_table(other))


def test_the_list_of_shards_is_another_where_pixels_are_others(images, tmp_path):
    before = Path(packed(images, tmp_path / "before", 3)[0]).read_bytes()
    assert Path(packed(images, tmp_path / "again", 3)[0]).read_bytes() == before
    Image.new("RGB", (SIZE, SIZE), "red").save(Path(images.where, "08.png"))
    assert Path(packed(images, tmp_path / "after", 3)[0]).read_bytes() != before


def test_shards_have_all_images_once_and_as_many_as_each_other():
    for count, shards in [(10, 3), (3, 5), (1000, 7)]:
        parts = [range(count)[part_of(count, shard, shards)] for shard in range(1, shards + 1)]
        assert [row for part in parts for row in part] == [*range(count)]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_compressed_file_of_patches_in_shards(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, SIZE, SIZE, 3), np.uint8)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=pixels, chunks=(4, SIZE, SIZE, 3), compression="gzip")
    ids = [str(row) for row in range(10)]
    images = PatchArrays(str(tmp_path), ids, ["x.h5"] * 10, np.arange(10), "x")
    np.testing.assert_array_equal(Pixels(packed(images, tmp_path / "pack", 3)[0])[:], pixels)


def test_no_usable_image_in_any_shard_is_one_line(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("no image")
    images = ImageFiles(str(tmp_path), ["a", "b"], ["a.png", "b.png"])
    with pytest.raises(InputError, match=r"no usable image; a\.png is set aside: "):
        packed(images, tmp_path / "pack", 2)
