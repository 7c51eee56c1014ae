"""Optical densities, and which pixels show tissue: those that absorb light of every colour.

After Macenko et al., ISBI 2009.
"""

import math

from torch import Tensor

LIGHT = 240.0  # pixel value of bare glass
FAINTEST = 0.15  # optical density of tissue, at least
LEAST = 0.05  # share of the pixels of a patch that has to be tissue for its stain to be known


def densities(images: Tensor) -> Tensor:
    """Optical densities, natural logarithms, of float32 images in 0–255."""
    return (images + 1).log_().neg_().add_(math.log(LIGHT))


def pixels(densities: Tensor) -> Tensor:
    """The pixel values in 0–255 of optical densities, which are overwritten."""
    return densities.neg_().exp_().mul_(LIGHT).sub_(1).clamp_(0, 255)


def is_tissue(images: Tensor) -> Tensor:
    """Whether each pixel (N×P) of float32 N×3×P images in 0–255 is tissue."""
    return images.amax(1) + 1 <= LIGHT * math.exp(-FAINTEST)


def has_tissue(tissue: Tensor) -> Tensor:
    """Whether each patch has enough tissue (N), of which pixels are tissue (N×P)."""
    return tissue.float().mean(1) >= LEAST
