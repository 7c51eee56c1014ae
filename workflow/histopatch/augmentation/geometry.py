"""Flips, turns, shift, zoom and resize: one affine map per sample and one sampling pass."""

import functools
import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from histopatch.data import centre

# Half of the width of the patch is 1. The corners of its centre are this far from its middle.
CORNER = math.sqrt(2) * centre.SHARE


def draw_maps(
    count: int, strengths: Mapping[str, bool | float], generator: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Draw how each of `count` samples is moved: matrices (count×2×2) and offsets (count×2, or None).

    They map a place of the output to the place of the input that is seen there. strengths: by operation.
    `flips` mirrors each axis with probability 1/2; `rotation` is in degrees, drawn from ±; `quarter_turns`
    adds a multiple of 90°; `zoom` draws the logarithm of the magnification from ± log(1 + zoom); `shift` is a
    share of the size, drawn from ± for each axis, as far as the centre stays in view. The first two
    are drawn even where neither is asked for, so that switching one off shuffles nothing else that the
    generator draws; the others only where they are asked for.
    """
    angle = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(strengths.get("rotation", 0.0))
    signs = torch.randint(0, 2, (count, 2), generator=generator) * 2 - 1
    if not strengths.get("flips"):
        signs = torch.ones_like(signs)
    if strengths.get("quarter_turns"):
        angle = angle + torch.randint(0, 4, (count,), generator=generator) * (math.pi / 2)
    matrices, offsets = flip_rotate(angle, signs), None
    seen = torch.ones(count)  # half of the width of the input that is in view
    if zoom := strengths.get("zoom"):
        seen = torch.exp((torch.rand(count, generator=generator) * 2 - 1) * math.log1p(zoom))
        matrices = matrices * seen[:, None, None]
    if shift := strengths.get("shift"):
        farthest = (seen - CORNER).clamp(min=0)[:, None]
        offsets = 2 * shift * (torch.rand(count, 2, generator=generator) * 2 - 1)
        # Along the axes of the output, which the matrix turns into those of the input.
        offsets = offsets.clamp(-farthest, farthest)
        offsets = (matrices / seen[:, None, None] @ offsets[:, :, None])[:, :, 0]
    return matrices, offsets


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


def transform(images: Tensor, size: int, matrices: Tensor, offsets: Tensor | None = None) -> Tensor:
    """Move and resize float N×3×H×W images by N×2×2 matrices and N×2 offsets: N×3×size×size.

    Beyond its border a patch is mirrored: tissue, no black corners.
    """
    if size < images.shape[-1]:
        images = resize(images, size)  # shrinking needs the antialiasing that sampling lacks
    grid = _sampling_grid(matrices, size)
    if offsets is not None:
        grid = grid + offsets[:, None, None]
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
