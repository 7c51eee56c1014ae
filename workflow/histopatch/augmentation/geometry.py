"""Flips, rotation and resize: one 2×2 matrix per sample and one sampling pass."""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor


def draw_matrices(count: int, flips: bool, rotation: float, generator: torch.Generator) -> Tensor:
    """Draw a flip and a rotation for each of `count` samples: count×2×2, output to input coordinates.

    flips: mirror each axis with probability 1/2; rotation: degrees, drawn from ±. Both are drawn even where
    neither is asked for, so that switching one off shuffles nothing else that the generator draws.
    """
    angle = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(rotation)
    signs = torch.randint(0, 2, (count, 2), generator=generator) * 2 - 1
    if not flips:
        signs = torch.ones_like(signs)
    return flip_rotate(angle, signs)


def flip_rotate(angle: Tensor, signs: Tensor) -> Tensor:
    """Matrices of a mirroring by `signs` followed by a counter-clockwise rotation by `angle`.

    angle: N, radians; signs: N×2 of ±1 for x (left-right) and y (top-bottom). Returns N×2×2 that map a place
    of the output to the place of the input that is seen there, so they undo the rotation first, then the
    mirroring.
    """
    cos, sin = angle.cos(), angle.sin()
    # Image coordinates have y pointing down, hence the sign of the sines.
    unrotate = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    return signs.to(angle.dtype)[:, :, None] * unrotate


def transform(images: Tensor, size: int, matrices: Tensor) -> Tensor:
    """Flip, rotate and resize float N×3×H×W images by N×2×2 matrices: N×3×size×size.

    Beyond its border a patch is mirrored: tissue, no black corners.
    """
    if size < images.shape[-1]:
        images = resize(images, size)  # shrinking needs the antialiasing that sampling lacks
    grid = _sampling_grid(matrices, size)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def resize(images: Tensor, size: int) -> Tensor:
    """Resize N×3×H×W to N×3×size×size: bilinear, with antialiasing where it shrinks, as PIL does it."""
    if images.shape[-2:] == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)


@functools.cache
def _pixel_centres(size: int, device: torch.device) -> Tensor:
    """Centres of the pixels of the output, row by row as (x, y), the image being [-1, 1]²: size²×2."""
    centres = (2 * torch.arange(size, device=device) + 1) / size - 1
    return torch.cartesian_prod(centres, centres).flip(1).contiguous()


def _sampling_grid(matrices: Tensor, size: int) -> Tensor:
    """Where each output pixel is seen in the input: N×size×size×2.

    `F.affine_grid` without a translation, in a third of its time on a CPU.
    """
    centres = _pixel_centres(size, matrices.device)
    return (centres @ matrices.transpose(1, 2)).view(-1, size, size, 2)
