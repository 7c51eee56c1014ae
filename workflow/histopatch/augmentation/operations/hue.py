"""Hue: each patch turned around the axis of greys, which keeps its brightness (in YIQ space)."""

import functools
import math

import torch
from torch import Tensor

# From red, green and blue to luma and the two coordinates of colour (NTSC).
YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Angles (count) in radians, uniform on ± strength of a full turn."""
    return 2 * math.pi * strength * (2 * torch.rand(count, generator=generator) - 1)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Turn the hue of float32 N×3×H×W images in 0–255 by `drawn` (N, radians)."""
    forward, backward = _matrices(images.device)
    cos, sin, zero, one = drawn.cos(), drawn.sin(), torch.zeros_like(drawn), torch.ones_like(drawn)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], 1).view(-1, 3, 3)
    change = backward @ turn @ forward  # N×3×3
    return (change @ images.flatten(2)).clamp_(0, 255).view_as(images)


@functools.cache
def _matrices(device: torch.device) -> tuple[Tensor, Tensor]:
    forward = torch.tensor(YIQ)
    return forward.to(device), torch.linalg.inv(forward).to(device)
