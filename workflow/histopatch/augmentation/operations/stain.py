"""Stain: haematoxylin, eosin and DAB made stronger or weaker, each patch in its own way.

Tellez et al., IEEE TMI 37(9), 2018, and Medical Image Analysis 58, 2019: amounts of stain are multiplied by a
factor and get an offset. They are separated as by Ruifrok & Johnston (Anal Quant Cytol Histol 23(4), 2001).
"""

import functools
import math

import torch
from torch import Tensor

# Optical density of red, green and blue in one unit of haematoxylin, eosin and DAB; published of unit length.
STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Factors and offsets of the three stains (count×2×3), uniform on 1 ± strength and 0 ± strength.

    Offsets are in units of optical density, of which one divides the light by e.
    """
    spread = strength * (2 * torch.rand(count, 2, 3, generator=generator) - 1)
    return spread + torch.tensor([[1.0], [0.0]])


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Change the stains of float32 N×3×H×W images in 0–255 by `drawn` (N×2×3).

    An optical density is log(256 / (value + 1)), so that black has one, and white has almost none.
    """
    stains, separation = _matrices(images.device)
    # From densities to stains, scaled, and back: one 3×3 matrix for each patch.
    change = stains.T @ (drawn[:, 0, :, None] * separation.T)
    offsets = drawn[:, 1] @ stains  # N×3
    # The same on log(value + 1): with l = log 256 it is l - (change (l - x) + offset). In place, for speed.
    constants = math.log(256) * (1 - change.sum(2)) - offsets
    logarithms = (images.flatten(2) + 1).log_()
    changed = (change @ logarithms).add_(constants[:, :, None])
    return changed.exp_().sub_(1).clamp_(0, 255).view_as(images)


@functools.cache
def _matrices(device: torch.device) -> tuple[Tensor, Tensor]:
    """The densities of unit stains (stain×channel) and the inverse of this matrix."""
    stains = torch.tensor(STAINS)
    return stains.to(device), torch.linalg.inv(stains).to(device)
