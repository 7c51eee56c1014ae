import math

import pytest
import torch

from histopatch.augmentation.operations.hue import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


LUMA = torch.tensor([0.299, 0.587, 0.114])


def test_a_full_turn_changes_nothing():
    images = patches()
    assert torch.allclose(apply(images, torch.full((4,), 2 * math.pi)), images, atol=0.01)


@pytest.mark.parametrize("angle", [0.1, -0.3])
def test_brightness_and_greys_stay(angle):
    images = patches() / 4 + 90
    changed = apply(images, torch.full((4,), angle))
    assert torch.allclose(
        torch.einsum("nchw,c->nhw", changed, LUMA), torch.einsum("nchw,c->nhw", images, LUMA), atol=0.1
    )
    assert not torch.allclose(changed, images, atol=1)
    grey = torch.full((4, 3, 2, 2), 99.0)
    assert torch.allclose(apply(grey, torch.full((4,), angle)), grey, atol=0.1)


def test_there_and_back_is_the_patch():
    images, angles = patches() / 4 + 90, drawn(4, 0.05)
    assert torch.allclose(apply(apply(images, angles), -angles), images, atol=0.01)
