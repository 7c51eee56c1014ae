"""From packed patches to network input, for a whole batch at once on the device."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from histopatch.augmentation import geometry
from histopatch.augmentation.draws import Draws


def prepare(
    pixels: Tensor,
    size: int,
    mean: tuple,
    std: tuple,
    draws: Draws | None = None,
    normaliser: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Augment (with draws), normalise and resize: uint8 N×H×W×3 to float32 N×3×size×size.

    mean, std: per channel, of inputs scaled to [0, 1]; normaliser: what gives images in 0–255 another stain
    before they are augmented.
    """
    scale, shift = _scale_and_shift(mean, std, pixels.device)
    images = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    if normaliser is not None:
        images = normaliser(images)
    if draws is not None:
        images = draws.change(images)
    # Interpolation weights sum to one, so normalising before it gives the same and touches fewer pixels.
    images = torch.addcmul(shift, images, scale)
    if draws is None:
        return geometry.resize(images, size)
    return geometry.transform(images, size, draws.matrices, draws.offsets)


# Constants live on the device once: making one there from Python numbers would wait for the device.
@functools.cache
def _scale_and_shift(mean: tuple, std: tuple, device: torch.device) -> tuple[Tensor, Tensor]:
    """What takes pixel values 0–255 to normalised ones, per channel: 3×1×1 each."""
    mean, std = (torch.tensor(values, device=device)[:, None, None] for values in (mean, std))
    return 1 / (255 * std), -mean / std
