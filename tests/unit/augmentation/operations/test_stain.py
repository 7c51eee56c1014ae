import numpy as np
import pytest
import torch

from histopatch.augmentation.operations.stain import STAINS, apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def slowly(image: np.ndarray, factors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """One pixel after the other: densities to stains, changed, and back. image: H×W×3."""
    stains = np.array(STAINS)
    changed = np.empty_like(image)
    for place in np.ndindex(image.shape[:2]):
        density = -np.log((image[place] + 1) / 256)
        amounts = np.linalg.solve(stains.T, density)
        changed[place] = 256 * np.exp(-(stains.T @ (amounts * factors + offsets))) - 1
    return changed.clip(0, 255)


def test_each_patch_is_changed_by_its_own_factors_and_offsets():
    images, changes = patches(), drawn(4, 0.1)
    changed = apply(images, changes)
    for image, after, (factors, offsets) in zip(images, changed, changes.double().numpy(), strict=True):
        expected = slowly(image.permute(1, 2, 0).double().numpy(), factors, offsets)
        assert after.permute(1, 2, 0).numpy() == pytest.approx(expected, abs=0.02)


# Five colours, and what scikit-image 0.26 makes of them: `rgb2hed`, stains times (1.2, 0.8, 1.1) plus
# (0.05, -0.04, 0.1) / log(10⁶), `hed2rgb`. (Its unit of stain is log(10⁶) of ours.)
COLOURS = [[150, 100, 160], [200, 140, 180], [110, 70, 130], [225, 200, 220], [90, 60, 90]]
CHANGED = [
    [129.6, 90.3, 138.6],
    [183.0, 133.5, 159.6],
    [89.6, 59.1, 108.9],
    [208.5, 187.9, 198.3],
    [70.9, 46.4, 71.9],
]


def test_it_is_scikit_images_separation_within_a_grey_level():
    """The rest is that ours takes value + 1 of 256, because black has a density so."""
    images = torch.tensor(COLOURS, dtype=torch.float32).T[None, :, None]
    changes = torch.tensor([[[1.2, 0.8, 1.1], [0.05, -0.04, 0.1]]])
    assert apply(images, changes)[0, :, 0].T.numpy() == pytest.approx(np.array(CHANGED), abs=1)


def test_to_the_stains_and_back_is_the_patch():
    images = patches()
    unchanged = torch.tensor([[1.0] * 3, [0.0] * 3]).expand(4, 2, 3)
    assert torch.allclose(apply(images, unchanged), images, atol=0.01)


def test_more_haematoxylin_is_bluer():
    """It absorbs red and green more than blue."""
    more = torch.tensor([[1.0, 1, 1], [0.5, 0, 0]])[None]
    change = apply(torch.full((1, 3, 1, 1), 200.0), more).flatten() - 200
    assert change[0] < change[2] < 0
    assert change[1] < change[2]


def test_strengths_are_spread_around_no_change():
    changes = drawn(4000, 0.05)
    assert changes[:, 0].mean().item() == pytest.approx(1, abs=1e-3)
    assert changes[:, 1].mean().item() == pytest.approx(0, abs=1e-3)
    assert (changes[:, 0] - 1).abs().max().item() == pytest.approx(0.05, abs=1e-3)
