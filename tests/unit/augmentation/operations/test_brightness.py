import pytest
import torch

from histopatch.augmentation.operations.brightness import apply, draw


def factors(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def test_factors_are_spread_over_the_range():
    drawn = factors(4000, 0.3)
    assert drawn.shape == (4000,)
    assert drawn.min() == pytest.approx(0.7, abs=0.005)
    assert drawn.max() == pytest.approx(1.3, abs=0.005)
    assert drawn.mean() == pytest.approx(1, abs=0.01)


def test_a_seed_draws_the_same_factors():
    assert torch.equal(factors(5, 0.3), factors(5, 0.3))
    assert not torch.equal(factors(5, 0.3), factors(5, 0.3, seed=1))


def test_each_patch_is_multiplied_by_its_factor():
    images = torch.rand(3, 3, 4, 4) * 100
    changed = apply(images.clone(), torch.tensor([0.5, 1.0, 2.0]))
    assert torch.allclose(changed, images * torch.tensor([0.5, 1.0, 2.0])[:, None, None, None])


def test_nothing_is_brighter_than_white():
    assert apply(torch.full((1, 3, 2, 2), 200.0), torch.tensor([1.5])).max() == 255
