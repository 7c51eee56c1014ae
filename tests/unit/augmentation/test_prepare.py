import numpy as np
import pytest
import torch

from histopatch.augmentation.draws import Draws
from histopatch.augmentation.prepare import prepare

MEAN, STD = (0.1, 0.4, 0.7), (0.2, 0.5, 0.9)
BRIGHTNESS = "augmentation.operations.brightness"


def random_pixels(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


@pytest.mark.parametrize("draws", [None, Draws(torch.eye(2)[None])])
def test_channels_are_normalised_one_by_one(draws):
    pixels = random_pixels(1, 16)
    images = prepare(torch.from_numpy(pixels), 16, MEAN, STD, draws)
    assert images.dtype == torch.float32
    expected = (pixels / 255 - MEAN) / STD
    assert images.permute(0, 2, 3, 1).numpy() == pytest.approx(expected, abs=1e-4)


def test_colour_is_changed_in_pixel_values():
    """Before the normalisation: what is half as bright has half the value."""
    pixels = random_pixels(2, 16)
    draws = Draws(torch.eye(2).expand(2, 2, 2), {BRIGHTNESS: torch.tensor([0.5, 1.0])})
    images = prepare(torch.from_numpy(pixels), 16, MEAN, STD, draws)
    expected = (pixels * np.array([0.5, 1.0])[:, None, None, None] / 255 - MEAN) / STD
    assert images.permute(0, 2, 3, 1).numpy() == pytest.approx(expected, abs=1e-4)


def test_the_stain_is_normalised_before_patches_are_augmented():
    pixels = random_pixels(2, 16)
    draws = Draws(torch.eye(2).expand(2, 2, 2), {BRIGHTNESS: torch.tensor([0.5, 0.25])})
    images = prepare(torch.from_numpy(pixels), 16, MEAN, STD, draws, normaliser=lambda images: images + 100)
    expected = ((pixels + 100.0) * np.array([0.5, 0.25])[:, None, None, None] / 255 - MEAN) / STD
    assert images.permute(0, 2, 3, 1).numpy() == pytest.approx(expected, abs=1e-4)


def test_a_batch_is_not_changed_in_place():
    pixels = torch.from_numpy(random_pixels(2, 16))
    before = pixels.clone()
    prepare(pixels, 16, MEAN, STD, Draws(torch.eye(2).expand(2, 2, 2), {BRIGHTNESS: torch.zeros(2)}))
    assert torch.equal(pixels, before)
