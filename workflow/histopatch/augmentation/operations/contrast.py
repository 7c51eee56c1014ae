"""Contrast: each patch stretched around its own mean by a factor of its own."""

import torch
from torch import Tensor


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Factors (count), uniform on 1 ± strength."""
    return 1 + strength * (2 * torch.rand(count, generator=generator) - 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Stretch float32 N×3×H×W images in 0–255 around the mean of each by `drawn` (N)."""
    means = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(means, images, drawn[:, None, None, None]).clamp_(0, 255)
