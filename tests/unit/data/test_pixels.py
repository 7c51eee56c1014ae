import numpy as np
import pytest

from histopatch.data.pixels import SHARD, Pixels, shard_files
from histopatch.errors import InputError

PATCHES = np.random.default_rng(0).integers(0, 256, (11, 4, 4, 3), np.uint8)


@pytest.fixture(params=["one file", "shards"])
def pack(request, tmp_path) -> str:
    """The PATCHES in one file, or in shards, of which the second is empty."""
    path = tmp_path / "train.npy"
    if request.param == "one file":
        np.save(path, PATCHES)
    else:
        (tmp_path / "shards").mkdir()
        cuts = [(0, 5), (5, 5), (5, 11)]
        for number, (start, end) in enumerate(cuts):
            np.save(tmp_path / f"shards/{number}.npy", PATCHES[start:end])
        rows = [(f"shards/{number}.npy", end - start, "") for number, (start, end) in enumerate(cuts)]
        np.save(path, np.array(rows, SHARD))
    return str(path)


def test_shape(pack):
    pixels = Pixels(pack)
    assert pixels.shape == PATCHES.shape and len(pixels) == 11 and pixels.nbytes == PATCHES.nbytes


@pytest.mark.parametrize(
    "rows",
    [
        0, 10, slice(3, 8), slice(None), slice(0, 1), np.array([10, 0, 4, 5, 5]), [2, 7],
        np.array([[0, 10], [5, 4]]), np.array([], int),
    ],
)  # fmt: skip
def test_rows_are_those_of_the_array(pack, rows):
    read = Pixels(pack)[rows]
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, PATCHES[rows])


def test_what_is_read_does_not_change_the_file(pack):
    Pixels(pack)[:3][:] = 0
    np.testing.assert_array_equal(Pixels(pack)[:], PATCHES)


@pytest.mark.parametrize("pack", ["shards"], indirect=True)
@pytest.mark.parametrize("fault", ["gone", "another"])
def test_a_shard_that_is_not_the_pack_s_is_named(pack, fault):
    shard = shard_files(pack)[2]
    if fault == "gone":
        shard.unlink()
    else:
        np.save(shard, PATCHES[:3])
    with pytest.raises(InputError, match=r"2\.npy: this shard of .*train\.npy is gone or another; run the"):
        Pixels(pack)
