import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from histopatch.augmentation.operations.saturation import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0])
def test_it_is_pils_within_rounding(factor):
    images = patches(1).round()
    image = Image.fromarray(images[0].permute(1, 2, 0).numpy().astype(np.uint8))
    expected = np.asarray(ImageEnhance.Color(image).enhance(factor), float)
    found = apply(images, torch.tensor([factor]))[0].permute(1, 2, 0).numpy()
    assert found == pytest.approx(expected, abs=1.01)


def test_greys_stay_as_they_are():
    grey = torch.full((2, 3, 2, 2), 77.0)
    assert torch.allclose(apply(grey, drawn(2, 0.5)), grey, atol=1e-3)
