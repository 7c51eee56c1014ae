import gzip
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from histopatch.data.arrays import PatchArrays
from histopatch.data.pack import images_per_task, pack_images
from histopatch.errors import InputError
from histopatch.files import read_table

SIZE = 32


def pixels(count: int = 6) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)


def write(path: Path, values, name: str = "x", **options) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=values, **options)


def arrays(folder: Path, **counts: int) -> PatchArrays:
    """The images of files `<name>.h5` with so many patches, or of `<name>.h5.gz` where that is there."""
    files = {
        name: f"{name}.h5.gz" if (folder / f"{name}.h5.gz").is_file() else f"{name}.h5" for name in counts
    }
    return PatchArrays(
        str(folder),
        [f"{name}-{row}" for name, count in counts.items() for row in range(count)],
        [files[name] for name, count in counts.items() for _ in range(count)],
        np.concatenate([np.arange(count) for count in counts.values()]),
        "x",
    )


@pytest.fixture
def packed(tmp_path):
    """Pack images: the array, the index and the images set aside."""

    def run(images: PatchArrays, size: int = SIZE, workers: int = 1):
        files = [str(tmp_path / "out" / name) for name in ("x.npy", "index.parquet", "rejected.csv")]
        pack_images(images, size, *files, workers)
        return np.load(files[0]), *map(read_table, files[1:])

    return run


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_of_several_files_are_packed_in_their_order(tmp_path, packed, workers):
    write(tmp_path / "a.h5", pixels(5))
    write(tmp_path / "b.h5", pixels(3))
    (tmp_path / "b.h5.gz").write_bytes(gzip.compress((tmp_path / "b.h5").read_bytes()))
    (tmp_path / "b.h5").unlink()
    array, index, aside = packed(arrays(tmp_path, a=5, b=3), workers=workers)
    assert np.array_equal(array, np.concatenate([pixels(5), pixels(3)]))
    assert index.id.tolist() == [*(f"a-{n}" for n in range(5)), *(f"b-{n}" for n in range(3))]
    assert index.file.tolist() == ["a.h5"] * 5 + ["b.h5.gz"] * 3
    assert set(index.format) == {"HDF5"}
    assert index[["bytes", "quality", "software"]].isna().all(axis=None)
    assert aside.empty
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "index.parquet",
        "rejected.csv",
        "x.npy",
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param(
            pixels(6).transpose(0, 3, 1, 2),
            "its array is 6×3×32×32, not patches×height×width×3; move the channels",
            id="channels",
            marks=pytest.mark.input("HDF5", "channels first, other shapes", "refused with the shape"),
        ),
        pytest.param(pixels(6)[..., 0], "its array is 6×32×32, not patches×height×width×3", id="grey"),
        pytest.param(np.uint8(3), "its array is empty, not patches×height×width×3", id="scalar"),
        pytest.param(
            pixels(6) / 255,
            "its numbers are float64, not uint8 from 0 to 255",
            id="float",
            marks=pytest.mark.input(
                "HDF5", "other numbers than 8 bits, such as 0–1", "refused with the kind"
            ),
        ),
        pytest.param(pixels(6).astype(np.uint16), "its numbers are uint16, not uint8", id="16 bits"),
        pytest.param(pixels(5), "has 5 patches, but there are 6 labels", id="too few"),
        pytest.param(pixels(7), "has 7 patches, but there are 6 labels", id="too many"),
    ],
)
def test_arrays_of_something_else_are_refused(tmp_path, packed, values, reason):
    write(tmp_path / "a.h5", values)
    with pytest.raises(InputError) as caught:
        packed(arrays(tmp_path, a=6))
    assert str(caught.value).startswith(f"{tmp_path}/a.h5: {reason}")


def test_an_array_of_another_name_is_refused(tmp_path, packed):
    write(tmp_path / "a.h5", pixels(6), name="images")
    with pytest.raises(InputError, match=r"/a\.h5: has no array 'x', but images$"):
        packed(arrays(tmp_path, a=6))


@pytest.mark.input(
    "HDF5", "patches of another size than `dataset.patch_size`", "refused with both sizes and the key"
)
@pytest.mark.parametrize("suffix", ["h5", "h5.gz"])
def test_another_size_names_the_key(tmp_path, packed, suffix):
    write(tmp_path / "a.h5", pixels(6))
    if suffix == "h5.gz":
        (tmp_path / "a.h5.gz").write_bytes(gzip.compress((tmp_path / "a.h5").read_bytes()))
    with pytest.raises(InputError) as caught:
        packed(arrays(tmp_path, a=6), size=96)
    expected = "its patches have 32×32 px, not 96×96; set dataset.patch_size"
    assert str(caught.value) == f"{tmp_path}/a.{suffix}: {expected}"


@pytest.mark.input(
    "HDF5", "patches that are cut off or damaged, plain or `.gz`", "refused with the file's name"
)
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-3],
        lambda content: b"<html>" + content,
        lambda content: content[:20] + bytes(60) + content[80:],
    ],
    ids=["empty", "half", "cut", "text", "zeros"],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, packed, compressed, spoil):
    write(tmp_path / "a.h5", pixels(6), chunks=(2, SIZE, SIZE, 3), compression="gzip")
    content = (tmp_path / "a.h5").read_bytes()
    if compressed:
        (tmp_path / "a.h5.gz").write_bytes(spoil(gzip.compress(content)))
    else:
        (tmp_path / "a.h5").write_bytes(spoil(content))
    with pytest.raises(InputError) as caught:
        packed(arrays(tmp_path, a=6))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/a.h5{'.gz' * compressed}: ") and "download it again" in message
    assert message.isprintable() and len(message) < 400
    assert not (tmp_path / "out" / "x.npy").exists()


@pytest.mark.parametrize(("block", "expected"), [(1, 256), (100, 300), (400, 400), (3000, 256)])
def test_blocks_that_are_compressed_together_are_read_once(tmp_path, block, expected):
    """Up to a size that fits in memory many times."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (3000, 96, 96, 3), np.uint8, chunks=(block, 96, 96, 3), compression=1)
    assert images_per_task(arrays(tmp_path, a=3000), 96) == expected


def test_rows_that_lie_together_are_read_at_once(tmp_path, monkeypatch):
    """A list of rows would take HDF5 a search for each of them."""
    write(tmp_path / "a.h5", pixels(6))
    asked = []
    read = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset, "__getitem__", lambda self, rows: asked.append(rows) or read(self, rows)
    )
    images = arrays(tmp_path, a=6)
    target = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    images.decode(target)
    assert asked == [slice(0, 6)]
    assert np.array_equal(target, pixels(6))


def test_chunks_take_their_own_names_only():
    images = PatchArrays(
        "data", [f"train-{n:06d}" for n in range(100_000)], ["x.h5"] * 100_000, np.arange(100_000), "x"
    )
    sizes = [len(pickle.dumps(images[start : start + 256])) for start in range(0, 100_000, 256)]
    assert max(sizes) < 10_000
