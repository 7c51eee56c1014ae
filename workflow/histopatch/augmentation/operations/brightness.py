"""Brightness: each patch times a factor of its own, as between scanners and section thicknesses."""

import torch
from torch import Tensor


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Factors (count), uniform on 1 ± strength."""
    return 1 + strength * (2 * torch.rand(count, generator=generator) - 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Multiply float32 N×3×H×W images in 0–255 by `drawn` (N); what becomes brighter than white is white."""
    return (images * drawn[:, None, None, None]).clamp_(max=255)
