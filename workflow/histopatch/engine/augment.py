"""From packed patches to network input, for a whole batch at once on the device.

Flips, rotation and resize are one 2×2 matrix a sample and one sampling pass. All matrices of an epoch are
drawn beforehand on the CPU: the same on every device, and nothing to wait for inside the epoch.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_matrices(count: int, augmentation: dict, generator: torch.Generator) -> Tensor:
    """Draw a flip and rotation for each of `count` samples: count×2×2, output to input coordinates.

    augmentation: `flips` (mirror each axis with probability 1/2), `rotation` (degrees, drawn from ±).
    """
    angle = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(augmentation["rotation"])
    signs = torch.randint(0, 2, (count, 2), generator=generator) * 2 - 1
    if not augmentation["flips"]:
        signs = torch.ones_like(signs)
    return flip_rotate(angle, signs)


def flip_rotate(angle: Tensor, signs: Tensor) -> Tensor:
    """Matrices of a counter-clockwise rotation by `angle` (N, radians) after a mirroring by `signs`.

    signs: N×2 of ±1 for x (left-right) and y (top-bottom). Returns N×2×2 that map a place of the output
    to the place of the input that is seen there, so they undo the rotation first and mirror then.
    """
    cos, sin = angle.cos(), angle.sin()
    # Image coordinates have y pointing down, hence the sign of the sines.
    unrotate = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    return signs.to(angle.dtype)[:, :, None] * unrotate


def prepare(pixels: Tensor, size: int, norm: tuple, matrices: Tensor | None = None) -> Tensor:
    """Normalise, resize and (with matrices) flip and rotate: uint8 N×H×W×3 to float32 N×3×size×size.

    norm: mean and std per channel of inputs scaled to [0, 1]. Resizing is bilinear, with antialiasing
    where it shrinks, as PIL does it. Beyond the border the patch is mirrored: tissue, no black corners.
    """
    scale, shift = _scale_and_shift(norm, pixels.device)
    images = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    # Interpolation weights sum to one, so normalising first gives the same and touches fewer pixels.
    images = torch.addcmul(shift, images, scale)
    if matrices is None or size < images.shape[-1]:
        images = _resize(images, size)
    if matrices is None:
        return images
    grid = _sampling_grid(matrices, size)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


# Constants live on the device once: making one there from Python numbers would wait for the device.
@functools.cache
def _scale_and_shift(norm: tuple, device: torch.device) -> tuple[Tensor, Tensor]:
    """What takes pixel values 0-255 to normalised ones, per channel: 3×1×1 each."""
    mean, std = (torch.tensor(values, device=device)[:, None, None] for values in norm)
    return 1 / (255 * std), -mean / std


@functools.cache
def _places(size: int, device: torch.device) -> Tensor:
    """Centres of the pixels of the output, row by row as (x, y), the image being [-1, 1]²: size²×2."""
    centres = (2 * torch.arange(size, device=device) + 1) / size - 1
    return torch.cartesian_prod(centres, centres).flip(1).contiguous()


def _sampling_grid(matrices: Tensor, size: int) -> Tensor:
    """Where each output pixel is seen in the input: N×size×size×2.

    `F.affine_grid` without a translation, at a third of its time on a CPU.
    """
    places = _places(size, matrices.device)
    return (places @ matrices.transpose(1, 2)).view(-1, size, size, 2)


def _resize(images: Tensor, size: int) -> Tensor:
    if images.shape[-2:] == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)
