"""JPEG: each patch with the losses of a compression of its own, as slide scanners and archives make them.

The baseline process of ITU-T T.81 (1992) without chroma subsampling: 8×8 blocks of the discrete cosine
transform in YCbCr, divided by its example tables of Annex K and rounded. Qualities scale the tables as in
libjpeg.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 8
GREY = 128
# From red, green and blue to luma and the differences of blue and red from it (JFIF).
YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * BLOCK,) * 4,
)


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Qualities (count), uniform from 100 - strength to 100."""
    return 100 - strength * torch.rand(count, generator=generator)


def apply(images: Tensor, drawn: Tensor) -> Tensor:
    """Compress and decompress float32 N×3×H×W images in 0–255 at qualities `drawn` (N, 1 to 100)."""
    height, width = images.shape[2:]
    forward, backward, cosines, tables = _constants(images.device)
    # Around grey, which both spaces have at 128; an encoder has whole numbers here.
    levels = (forward @ (images - GREY).flatten(2)).round_().view_as(images)
    levels = F.pad(levels, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    blocks = levels.unflatten(3, (-1, BLOCK)).unflatten(2, (-1, BLOCK)).transpose(3, 4)
    coefficients = blocks.flatten(4) @ cosines.T  # N×3×rows×columns×64
    steps = _steps(tables, drawn)[:, :, None, None]
    coefficients = coefficients.div_(steps).round_().mul_(steps)
    blocks = (coefficients @ cosines).view(blocks.shape)
    levels = blocks.transpose(3, 4).flatten(4).flatten(2, 3)[:, :, :height, :width]
    changed = (backward @ levels.flatten(2)).view_as(images)
    return changed.add_(GREY).clamp_(0, 255)


def _steps(tables: Tensor, qualities: Tensor) -> Tensor:
    """What coefficients are rounded to multiples of: N×3×64."""
    percent = torch.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities)
    return ((percent[:, None, None] * tables + 50) / 100).floor_().clamp_(1, 255)


@functools.cache
def _constants(device: torch.device) -> tuple[Tensor, ...]:
    """To YCbCr and back (3×3 each), the cosine transform of a block (64×64), the tables (3×64)."""
    forward = torch.tensor(YCBCR)
    places = torch.arange(BLOCK, dtype=torch.float64)
    waves = torch.cos(math.pi / BLOCK * (places + 0.5) * places[:, None]) / 2
    waves[0] /= math.sqrt(2)
    tables = torch.tensor((LUMA, CHROMA, CHROMA), dtype=torch.float32).flatten(1)
    constants = (forward, torch.linalg.inv(forward), torch.kron(waves, waves).float(), tables)
    return tuple(constant.to(device) for constant in constants)
