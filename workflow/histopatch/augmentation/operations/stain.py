"""Stain: haematoxylin, eosin and the rest made stronger or weaker, each patch in its own way.

Tellez et al., IEEE TMI 37(9), 2018: colour augmentation in the space of the stains, here the one of Ruifrok &
Johnston (Anal Quant Cytol Histol 23(4), 2001).
"""

import functools

import torch
from torch import Tensor

# Optical density of red, green and blue in one unit of haematoxylin, eosin and DAB.
STAINS = ((0.650, 0.704, 0.286), (0.072, 0.990, 0.105), (0.268, 0.570, 0.776))


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Factors and offsets of the three stains (count×2×3), uniform on 1 ± strength and 0 ± strength."""
    spread = strength * (2 * torch.rand(count, 2, 3, generator=generator) - 1)
    return spread + torch.tensor([[1.0], [0.0]])


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Change the stains of float32 N×3×H×W images in 0–255 by `drawn` (N×2×3).

    A density is -log((value + 1) / 256), so that black has one, and white has almost none.
    """
    stains, separation = _matrices(images.device)
    densities = -((images + 1) / 256).log().flatten(2)  # N×3×HW
    # From densities to stains, scaled, and back: one 3×3 matrix for each patch.
    change = stains.T @ (drawn[:, 0, :, None] * separation.T)  # N×3×3
    offsets = drawn[:, 1] @ stains  # N×3
    changed = torch.baddbmm(offsets[:, :, None], change, densities)
    return (256 * (-changed).exp() - 1).clamp_(0, 255).view_as(images)


@functools.cache
def _matrices(device: torch.device) -> tuple[Tensor, Tensor]:
    """The densities of unit stains (stain×channel) and the inverse of this matrix."""
    stains = torch.nn.functional.normalize(torch.tensor(STAINS), dim=1)
    return stains.to(device), torch.linalg.inv(stains).to(device)
