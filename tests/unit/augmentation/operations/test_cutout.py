import pytest
import torch

from histopatch.augmentation.operations.cutout import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def patches(count: int = 4, size: int = 12) -> torch.Tensor:
    return 20 + 215 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def gone(size: int, x: float, y: float, side: float) -> torch.Tensor:
    """Which pixels (size×size) of a patch are changed by one square."""
    images = patches(1, size)
    return (apply(images, torch.tensor([[x, y, side]])) != images)[0].any(dim=0)


def test_a_square_is_gone():
    changed = gone(96, x=0.125, y=0.25, side=0.125)
    expected = torch.zeros(96, 96, dtype=torch.bool)
    expected[18:30, 6:18] = True  # rows from y, columns from x
    assert torch.equal(changed, expected)


@pytest.mark.parametrize("side", [0.5, 1.0, 2.0])
def test_the_centre_stays(side):
    """The 32×32 pixels that the label of a 96×96 patch is about."""
    changed = gone(96, x=0.5, y=0.5, side=side)
    assert changed.any()
    assert not changed[32:64, 32:64].any()
    if side == 2.0:
        assert changed.sum() == 96 * 96 - 32 * 32


def test_what_is_gone_has_the_mean_colour():
    images = patches(1, 96)
    changed = apply(images, torch.tensor([[0.1, 0.1, 0.1]]))
    assert torch.allclose(changed[0, :, 9, 9], images.mean(dim=(2, 3))[0])


def test_squares_are_drawn_up_to_the_longest_side():
    changes = drawn(4000, 0.4)
    assert changes.shape == (4000, 3)
    assert 0.39 < changes[:, 2].max() <= 0.4
    assert changes[:, :2].min() >= 0
    assert changes[:, :2].max() <= 1
