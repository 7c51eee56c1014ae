"""Noise: each patch as from a camera with a noise of its own."""

import functools

import torch
from torch import Tensor

BANK = 2**20  # normal numbers that all noise is taken from


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Standard deviations in pixel values, uniform from 0 to strength, and places in the bank: count×2."""
    deviations = strength * torch.rand(count, generator=generator)
    places = torch.randint(BANK, (count,), generator=generator)
    return torch.stack([deviations, places.float()], 1)  # whole numbers up to 2²⁴ are exact


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Add noise to float32 N×3×H×W images in 0–255, as `drawn` (N×2) says.

    A bank, because numbers for every pixel of an epoch would not fit in memory, and numbers drawn on the
    device would differ between devices.
    """
    noise = _runs(images[0].numel(), images.device)[drawn[:, 1].long()].view_as(images)
    return torch.addcmul(images, noise, drawn[:, 0, None, None, None]).clamp_(0, 255)


@functools.cache
def _runs(length: int, device: torch.device) -> Tensor:
    """The `length` numbers from each place of the bank on, its start following its end: views of the bank."""
    bank = torch.randn(BANK, generator=torch.Generator().manual_seed(0))
    around = bank.repeat(1 + -(-length // BANK))[: BANK + length]  # patches of 592 px take more than a bank
    return around.to(device).unfold(0, length, 1)
