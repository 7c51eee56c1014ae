import io

import numpy as np
import pytest
import torch
from PIL import Image

from histopatch.augmentation.operations.jpeg import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def pillow(pixels: np.ndarray, quality: int) -> np.ndarray:
    """uint8 H×W×3 as JPEG and back."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(file), float)


def compressed(pixels: np.ndarray, qualities: list[int]) -> np.ndarray:
    """uint8 N×H×W×3 with the losses of these qualities."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    changed = apply(images, torch.tensor(qualities, dtype=torch.float32))
    return changed.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("size", [96, 90, 17])
def test_each_patch_is_what_pillow_makes_of_it_at_its_quality(patches, size):
    """Within a grey level: a coefficient halfway between two steps may be rounded to either."""
    qualities = [10, 30, 49, 50, 75, 90, 95, 100] * 6
    pixels = np.ascontiguousarray(patches[:, :size, :size])
    expected = np.stack([pillow(*pair) for pair in zip(pixels, qualities, strict=True)])
    differences = np.abs(compressed(pixels, qualities) - expected).mean(axis=(1, 2, 3))
    losses = np.abs(expected - pixels).mean(axis=(1, 2, 3))
    for quality in set(qualities):
        chosen = np.equal(qualities, quality)
        assert differences[chosen].mean() < 1
        # Almost all of the loss is the same, where there is more than rounding.
        assert quality > 80 or differences[chosen].mean() < losses[chosen].mean() / 5


def test_a_lower_quality_loses_more(patches):
    losses = [np.abs(compressed(patches[:4], [q] * 4) - patches[:4]).mean() for q in (95, 70, 40, 10)]
    assert losses == sorted(losses)
    assert losses[0] < 2 < losses[-1]


def test_the_best_quality_is_nearly_the_patch(patches):
    assert np.abs(compressed(patches[:4], [100] * 4) - patches[:4]).mean() < 0.6


def test_values_stay_in_range():
    images = 255.0 * torch.randint(0, 2, (2, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    before = images.clone()
    changed = apply(images, torch.tensor([5.0, 50.0]))
    assert (changed.min(), changed.max()) == (0, 255)
    assert torch.equal(images, before)


def test_qualities_are_spread_from_the_lowest_to_100():
    qualities = drawn(4000, 60.0)
    assert 40 <= qualities.min() < 40.1
    assert 99.9 < qualities.max() <= 100
