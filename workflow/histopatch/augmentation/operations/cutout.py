"""Cutout: a square of each patch gone, but never its centre, which the label is about.

DeVries & Taylor, arXiv 1708.04552, 2017. In PatchCamelyon a patch is positive if its central third (32 of 96
pixels) has tumour.
"""

import torch
from torch import Tensor

CENTRE = 1 / 3  # share of height and width


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Centres of squares as shares of width and height, and the share of their side: count×3.

    strength: the longest side as a share of that of a patch; sides are uniform from 0 to it.
    """
    sides = strength * torch.rand(count, 1, generator=generator)
    return torch.cat([torch.rand(count, 2, generator=generator), sides], 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Put the mean colour of each image, float32 N×3×H×W, in place of the squares of `drawn` (N×3)."""
    height, width = images.shape[2:]
    x, y = ((torch.arange(length, device=images.device) + 0.5) / length for length in (width, height))
    across, down = (
        (places - drawn[:, axis, None]).abs() < drawn[:, 2, None] / 2 for axis, places in enumerate((x, y))
    )
    central = ((y - 0.5).abs() < CENTRE / 2)[:, None] & ((x - 0.5).abs() < CENTRE / 2)
    gone = down[:, :, None] & across[:, None, :] & ~central  # N×H×W
    return torch.where(gone[:, None], images.mean(dim=(2, 3), keepdim=True), images)
