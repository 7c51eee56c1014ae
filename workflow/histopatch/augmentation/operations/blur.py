"""Blur: each patch out of focus by a Gaussian of its own width."""

import functools

import torch
from torch import Tensor

REACH = 3  # pixels on either side, three standard deviations of the widest


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Standard deviations (count) in pixels of the packed patch, uniform from 0 to strength."""
    return strength * torch.rand(count, generator=generator)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Blur float32 N×3×H×W images by standard deviations `drawn` (N, at most 1 px); borders are mirrored."""
    places = torch.arange(-REACH, REACH + 1, device=images.device)
    weights = torch.exp(-0.5 * (places / drawn.clamp(min=1e-3)[:, None]) ** 2)
    weights = weights / weights.sum(1, keepdim=True)  # N×places
    # A matrix for each patch and axis: faster than a convolution with a kernel for each patch.
    down, across = (
        (weights @ _shifts(length, images.device).flatten(1)).view(-1, 1, length, length)
        for length in images.shape[2:]
    )
    return down @ images @ across.transpose(2, 3)


@functools.cache
def _shifts(length: int, device: torch.device) -> Tensor:
    """Matrices that shift a line of pixels by each of the places, its ends mirrored: places×length×length."""
    seen = torch.arange(length) + torch.arange(-REACH, REACH + 1)[:, None]
    mirrored = (length - 1) - (length - 1 - seen.abs()).abs()
    return torch.eye(length)[mirrored].to(device)
