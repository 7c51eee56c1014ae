"""The border of a patch: what its label is not about, so that an augmentation may replace it."""

import torch
from torch import Tensor

from histopatch.data.centre import centre


def in_border(squares: Tensor, height: int, width: int) -> Tensor:
    """Which pixels are in the square of their patch and not in its centre: N×height×width.

    squares: centres as shares of width and height, and the side as a share of either: N×3.
    """
    x, y = ((torch.arange(length, device=squares.device) + 0.5) / length for length in (width, height))
    across, down = (
        (places - squares[:, axis, None]).abs() < squares[:, 2, None] / 2
        for axis, places in enumerate((x, y))
    )
    border = down[:, :, None] & across[:, None, :]
    border[:, centre(height), centre(width)] = False
    return border
