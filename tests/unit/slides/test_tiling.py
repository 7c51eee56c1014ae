import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.slides.tiling import blocks, grid, shares


@pytest.mark.parametrize(
    ("size", "tile", "stride"), [((100, 70), 20, 20), ((101, 75), 20, 7), ((20, 20), 20, 20)]
)
def test_tiles_cover_the_whole_image_and_nothing_else(size, tile, stride):
    width, height = size
    covered = np.zeros((height, width), int)
    corners = grid(size, tile, stride)
    for x, y in corners:
        part = covered[y : y + tile, x : x + tile]
        assert part.shape == (tile, tile)
        part += 1
    assert covered.min() == 1
    assert len(np.unique(corners, axis=0)) == len(corners)


def test_tiles_do_not_overlap_where_the_image_is_a_multiple():
    assert grid((60, 40), 20, 20).tolist() == [[0, 0], [20, 0], [40, 0], [0, 20], [20, 20], [40, 20]]


def test_an_image_smaller_than_a_tile_is_refused():
    with pytest.raises(InputError, match=r"19×50 px.*one patch of 20 px"):
        grid((19, 50), 20, 20)


def test_the_share_of_a_mask_in_each_tile():
    mask = np.random.default_rng(0).random((60, 90)) < 0.3
    corners = grid((90, 60), 20, 7)
    wanted = [mask[y : y + 20, x : x + 20].mean() for x, y in corners]
    assert np.allclose(shares(mask, corners, 20, (90, 60)), wanted)


def test_a_mask_of_another_resolution():
    mask = np.zeros((10, 10), bool)
    mask[:, 5:] = True  # the right half
    found = shares(mask, np.array([[0, 0], [450, 0], [500, 300], [960, 960]]), 100, (1000, 1000))
    assert np.allclose(found[[0, 2]], [0, 1]) and 0 < found[1] < 1
    assert shares(mask, np.array([[996, 996]]), 4, (1000, 1000)) == [1]  # less than a pixel of the mask


def test_blocks_have_every_tile_once_and_stay_together():
    corners = grid((1000, 700), 50, 30)[::3]
    found = [*blocks(corners, 200)]
    assert sorted(np.concatenate(found)) == [*range(len(corners))]
    assert all(np.ptp(corners[block], axis=0).max() < 200 for block in found)
    assert [*blocks(corners[:0], 200)] == []
