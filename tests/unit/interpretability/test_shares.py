import numpy as np
import pytest

from histopatch.interpretability.shares import area_share, centre_shares


def test_the_share_of_the_area():
    assert area_share(96) == pytest.approx(1 / 9)
    assert area_share(64) == pytest.approx((22 / 64) ** 2)


@pytest.mark.parametrize("shape", [(3, 3), (7, 7), (11, 11), (4, 5), (96, 96)])
def test_even_evidence_has_the_share_of_the_area(shape):
    assert centre_shares(np.ones((1, *shape)), 96) == pytest.approx([1 / 9])


@pytest.mark.parametrize("cells", [3, 4, 7])
def test_chance_is_the_share_of_the_area(cells):
    """All evidence in one cell, whichever: the mean over the cells."""
    single = np.eye(cells * cells).reshape(-1, cells, cells)
    assert centre_shares(single, 96).mean() == pytest.approx(1 / 9)


@pytest.mark.parametrize("cells", [3, 5, 7, 12])
def test_shares_are_those_of_a_map_enlarged_to_pixels(cells):
    maps = np.random.default_rng(cells).random((5, cells, cells))
    side = cells * 96  # each cell has 96×96 pixels, each pixel of the patch cells×cells
    large = maps.repeat(96, axis=1).repeat(96, axis=2)
    middle = slice(side // 3, 2 * side // 3)
    expected = large[:, middle, middle].sum(axis=(1, 2)) / large.sum(axis=(1, 2))
    assert centre_shares(maps, 96) == pytest.approx(expected)


@pytest.mark.parametrize("cells", [1, 2])
def test_so_few_cells_tell_nothing_of_the_centre(cells):
    """Whichever has the evidence, a ninth of it would count."""
    assert np.isnan(centre_shares(np.random.default_rng(0).random((3, cells, cells)), 96)).all()


def test_no_evidence_has_no_share():
    maps = np.zeros((2, 3, 3))
    maps[1, 1, 1] = 5
    assert np.isnan(centre_shares(maps, 96)[0])
    assert centre_shares(maps, 96)[1] == 1
