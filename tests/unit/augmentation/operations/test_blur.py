import pytest
import scipy.ndimage
import torch

from histopatch.augmentation.operations.blur import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_each_patch_is_blurred_by_its_own_width_as_scipy_does_it():
    images, widths = patches(), torch.tensor([0.3, 0.6, 0.9, 1.0])
    blurred = apply(images, widths)
    for image, after, width in zip(images, blurred, widths.tolist(), strict=True):
        expected = scipy.ndimage.gaussian_filter(image, (0, width, width), mode="mirror", radius=(0, 3, 3))
        assert after.numpy() == pytest.approx(expected, abs=0.01)


def test_no_width_is_no_blur():
    images = patches()
    assert torch.allclose(apply(images, torch.zeros(4)), images, atol=1e-3)


def test_widths_are_spread_from_none_to_the_strength():
    widths = drawn(4000, 0.8)
    assert 0 <= widths.min() < 0.01
    assert 0.79 < widths.max() <= 0.8
