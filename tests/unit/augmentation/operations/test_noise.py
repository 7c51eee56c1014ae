import pytest
import torch

from histopatch.augmentation.operations.noise import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_each_patch_has_noise_of_its_own_deviation():
    images = torch.full((2, 3, 64, 64), 128.0)
    changes = drawn(2, 10.0)
    noise = apply(images, changes) - images
    for deviation, found in zip(changes[:, 0].tolist(), noise, strict=True):
        assert found.std().item() == pytest.approx(deviation, rel=0.03)
        assert found.mean().item() == pytest.approx(0, abs=0.3)
    assert abs(torch.corrcoef(noise.flatten(1))[0, 1].item()) < 0.05


def test_the_same_draws_are_the_same_noise():
    images, changes = patches(), drawn(4, 10.0)
    assert torch.equal(apply(images, changes), apply(images, changes))


def test_large_patches_take_more_than_one_bank():
    images = torch.full((2, 3, 600, 600), 128.0)
    noise = apply(images, torch.tensor([[1.0, 0.0], [1.0, 2**20 - 1]])) - images
    assert noise.std().item() == pytest.approx(1, rel=0.01)
    assert torch.equal(noise[0].flatten()[2**20 :], noise[0].flatten()[: 3 * 600**2 - 2**20])


def test_a_place_at_the_end_of_the_bank_goes_on_at_its_start():
    images = torch.full((2, 3, 4, 4), 128.0)
    last, first = (apply(images, torch.tensor([[1.0, 2**20 - 1], [1.0, 0.0]])) - images).flatten(1)
    assert torch.equal(last[1:], first[:-1])
