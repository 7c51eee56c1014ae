import pytest
import torch

from histopatch.augmentation.mixing.cutmix import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def greys(count: int = 4) -> torch.Tensor:
    """Patches of one grey each: its place in the batch."""
    return torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 96, 96, 3).contiguous()


def test_a_square_is_of_the_patch_half_a_batch_away_and_the_target_stays():
    pixels, targets = greys(), torch.tensor([0.0, 1.0, 1.0, 0.0])
    squares = torch.tensor([[0.125, 0.25, 0.125], [0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 2.0]])
    mixed, mixed_targets = apply(pixels, targets, squares)
    assert mixed_targets.tolist() == targets.tolist()
    assert mixed.dtype == torch.uint8
    expected = greys()
    expected[0, 18:30, 6:18] = 2  # rows from y, columns from x
    expected[2, 24:72, 24:72] = 0
    expected[3] = 1
    expected[2:, 32:64, 32:64] = torch.tensor([2, 3], dtype=torch.uint8)[:, None, None, None]
    assert torch.equal(mixed, expected)


def test_the_centre_stays_whatever_is_drawn():
    pixels = greys(200)
    mixed, _ = apply(pixels, torch.zeros(200), drawn(200, 1.0))
    assert torch.equal(mixed[:, 32:64, 32:64], pixels[:, 32:64, 32:64])
    assert (mixed != pixels).any(dim=(1, 2, 3)).float().mean() > 0.8


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_the_strength_is_the_probability_of_a_square(strength):
    x, y, side = drawn(4000, strength).T
    assert (side > 0).float().mean().item() == pytest.approx(strength, abs=0.03)
    areas = side[side > 0] ** 2
    assert areas.mean().item() == pytest.approx(0.5, abs=0.02)
    assert 0.99 < areas.max() <= 1
    for place in (x, y):
        assert place.mean().item() == pytest.approx(0.5, abs=0.02)
        assert place.std().item() == pytest.approx(12**-0.5, abs=0.01)
