"""Blur: each patch out of focus by a Gaussian of its own width."""

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 3  # pixels on either side, three standard deviations of the widest


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Standard deviations (count) in pixels of the packed patch, uniform from 0 to strength."""
    return strength * torch.rand(count, generator=generator)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Blur float32 N×3×H×W images by standard deviations `drawn` (N, at most 1 px); borders are mirrored."""
    places = torch.arange(-REACH, REACH + 1, device=images.device)
    weights = torch.exp(-0.5 * (places / drawn.clamp(min=1e-3)[:, None]) ** 2)
    weights = (weights / weights.sum(1, keepdim=True))[:, :, None, None, None]  # N×places×1×1×1
    for axis, padding in ((3, (REACH, REACH, 0, 0)), (2, (0, 0, REACH, REACH))):
        padded, size = F.pad(images, padding, mode="reflect"), images.shape[axis]
        # Shifted copies, weighted: a convolution with a kernel for each patch is slower.
        images = sum(weights[:, k] * padded.narrow(axis, k, size) for k in range(2 * REACH + 1))
    return images
