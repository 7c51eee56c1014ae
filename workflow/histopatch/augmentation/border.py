"""The border of a patch: what its label is not about, so that an augmentation may replace it.

In PatchCamelyon a patch is positive if its central third (32 of 96 pixels) has tumour.
"""

import torch
from torch import Tensor

CENTRE = 1 / 3  # share of height and width


def in_border(squares: Tensor, height: int, width: int) -> Tensor:
    """Which pixels are in the square of their patch and not in its central third: N×height×width.

    squares: centres as shares of width and height, and the side as a share of either: N×3.
    """
    x, y = ((torch.arange(length, device=squares.device) + 0.5) / length for length in (width, height))
    across, down = (
        (places - squares[:, axis, None]).abs() < squares[:, 2, None] / 2
        for axis, places in enumerate((x, y))
    )
    central = ((y - 0.5).abs() < CENTRE / 2)[:, None] & ((x - 0.5).abs() < CENTRE / 2)
    return down[:, :, None] & across[:, None, :] & ~central
