"""Cutout: a square of each patch gone, but never its centre, which the label is about.

DeVries & Taylor, arXiv 1708.04552, 2017.
"""

import torch
from torch import Tensor

from histopatch.augmentation.border import in_border


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Centres of squares as shares of width and height, and the share of their side: count×3.

    strength: the longest side as a share of that of a patch; sides are uniform from 0 to it.
    """
    sides = strength * torch.rand(count, 1, generator=generator)
    return torch.cat([torch.rand(count, 2, generator=generator), sides], 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Put the mean colour of each image, float32 N×3×H×W, in place of the squares of `drawn` (N×3)."""
    gone = in_border(drawn, *images.shape[2:])
    return torch.where(gone[:, None], images.mean(dim=(2, 3), keepdim=True), images)
