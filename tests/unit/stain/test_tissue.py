import numpy as np
import pytest
import torch

from histopatch.stain.tissue import densities, has_tissue, is_tissue, pixels


def images(count: int = 3, size: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, size * size), generator=torch.Generator().manual_seed(0)).float()


def test_densities_are_logarithms_of_the_light_that_is_left():
    found = densities(images())
    assert found.numpy() == pytest.approx(-np.log((images().double().numpy() + 1) / 240), abs=1e-5)


def test_there_and_back_is_the_image():
    assert torch.allclose(pixels(densities(images())), images(), atol=0.01)


def test_tissue_absorbs_light_of_every_colour():
    expected = (densities(images()) >= 0.15).all(1)
    assert torch.equal(is_tissue(images()), expected)
    assert 0.2 < expected.float().mean() < 0.8


def test_a_patch_has_tissue_where_a_twentieth_of_it_is():
    tissue = torch.zeros(2, 100, dtype=torch.bool)
    tissue[0, :5] = tissue[1, :4] = True
    assert has_tissue(tissue).tolist() == [True, False]
