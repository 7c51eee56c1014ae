"""Saturation: each patch nearer to grey or further from it."""

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # share of the channels in the grey value (ITU-R BT.601), as in PIL


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Factors (count), uniform on 1 ± strength; 0 would be grey."""
    return 1 + strength * (2 * torch.rand(count, generator=generator) - 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Move float32 N×3×H×W images in 0–255 away from their grey values by `drawn` (N)."""
    red, green, blue = images.unbind(1)
    grey = (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]
    return torch.lerp(grey.expand_as(images), images, drawn[:, None, None, None]).clamp_(0, 255)
