import torch

from histopatch.augmentation.operations.contrast import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_each_patch_is_stretched_around_its_own_mean():
    images, factors = patches() / 4 + 90, torch.tensor([0.5, 1.0, 1.5, 0.0])
    means = images.mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(apply(images, factors), means + factors[:, None, None, None] * (images - means))


def test_values_stay_in_range():
    changed = apply(patches(), torch.full((4,), 1.9))
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_factors_are_spread_over_the_range():
    factors = drawn(4000, 0.3)
    assert 0.7 <= factors.min() < 0.71
    assert 1.29 < factors.max() <= 1.3
