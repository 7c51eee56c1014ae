import pytest
import torch

from histopatch.augmentation.border import in_border


def slowly(square: tuple[float, float, float], height: int, width: int) -> torch.Tensor:
    """One pixel after the other, by its middle."""
    x, y, side = square
    found = torch.zeros(height, width, dtype=torch.bool)
    for row in range(height):
        for column in range(width):
            down, across = (row + 0.5) / height, (column + 0.5) / width
            inside = abs(across - x) < side / 2 and abs(down - y) < side / 2
            central = abs(across - 0.5) < 1 / 6 and abs(down - 0.5) < 1 / 6
            found[row, column] = inside and not central
    return found


@pytest.mark.parametrize("shape", [(12, 12), (9, 15)])
def test_each_patch_has_its_own_square_without_the_central_third(shape):
    squares = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    found = in_border(squares, *shape)
    expected = torch.stack([slowly(tuple(square), *shape) for square in squares.tolist()])
    assert torch.equal(found, expected)
    assert 0.05 < found.float().mean() < 0.5


def test_the_central_third_of_96_pixels_is_32():
    found = in_border(torch.tensor([[0.5, 0.5, 2.0]]), 96, 96)[0]
    assert not found[32:64, 32:64].any()
    assert found.sum() == 96 * 96 - 32 * 32


def test_a_square_without_a_side_is_nowhere():
    assert not in_border(torch.tensor([[0.5, 0.2, 0.0]]), 8, 8).any()
