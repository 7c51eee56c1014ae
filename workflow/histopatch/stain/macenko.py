"""Macenko et al., ISBI 2009: each patch's own haematoxylin and eosin are found, and exchanged for others.

Optical densities of tissue lie close to a plane, that of their two leading principal components. The stains
are the outermost directions in it, robustly: percentiles 1 and 99 of the angle.
"""

import torch
from torch import Tensor

from histopatch.stain.tissue import densities, has_tissue, is_tissue, pixels

OUTERMOST = 0.01  # share of the pixels on either side that lie beyond a stain
STRONGEST = 0.99  # share of the pixels that have less of a stain than its full amount
APART = 0.05  # sine of the angle between two stains, at least
GRID = 48  # pixels each way that are looked at: enough for percentiles, and sorting is what takes time


def measure(images: Tensor) -> tuple[Tensor, Tensor]:
    """Densities of full haematoxylin and eosin (N×2×3) of float32 N×3×H×W images in 0–255.

    And which patches have two stains to be measured (N).
    """
    step = max(1, images.shape[3] // GRID)
    sample = images[:, :, ::step, ::step].flatten(2)
    tissue, optical = is_tissue(sample), densities(sample)
    directions = _directions(optical, tissue)
    amounts = _unmixing(directions) @ optical
    full = amounts.kthvalue(round(STRONGEST * amounts.shape[2]), dim=2).values
    stains = directions * full[:, :, None]
    apart = torch.linalg.cross(directions[:, 0], directions[:, 1]).norm(dim=1) > APART
    return stains, has_tissue(tissue) & apart & (full > 0).all(1)


def apply(images: Tensor, reference: Tensor) -> Tensor:
    """Exchange the stains of float32 N×3×H×W images in 0–255 for those of a reference (2×3).

    Patches with hardly any tissue, or with one stain only, stay as they are.
    """
    stains, usable = measure(images)
    change = reference.T @ _unmixing(stains)  # N×3×3
    changed = pixels(change @ densities(images.flatten(2))).view_as(images)
    return torch.where(usable[:, None, None, None], changed, images)


def _directions(optical: Tensor, tissue: Tensor) -> Tensor:
    """Haematoxylin and eosin as densities of unit length (N×2×3); optical: N×3×P, of which tissue: N×P."""
    weights = tissue[:, None].float()
    count = weights.sum(2).clamp(min=2)  # N×1
    mean = (optical * weights).sum(2) / count
    centred = (optical - mean[:, :, None]) * weights
    _, components = torch.linalg.eigh(centred @ centred.transpose(1, 2) / (count - 1)[:, :, None])
    plane = components[:, :, 1:].flip(2)  # N×3×2, leading component first
    plane = torch.where(mean[:, None] @ plane < 0, -plane, plane)  # the sign of a component is arbitrary
    first, second = (plane.transpose(1, 2) @ optical).unbind(1)
    angles = torch.atan2(second, first).masked_fill_(~tissue, torch.inf).sort(1).values
    ends = torch.cat([OUTERMOST * (count - 1), (1 - OUTERMOST) * (count - 1)], 1).round().long()
    ends = angles.gather(1, ends)[:, None]
    directions = (plane @ torch.cat([ends.cos(), ends.sin()], 1)).transpose(1, 2)
    red = directions[:, :, 0]  # which haematoxylin absorbs and eosin hardly
    return torch.where((red[:, 0] < red[:, 1])[:, None, None], directions.flip(1), directions)


def _unmixing(stains: Tensor) -> Tensor:
    """What takes densities to the amounts of two stains (N×2×3), by least squares: N×2×3."""
    (a, b), (c, d) = (row.unbind(1) for row in (stains @ stains.transpose(1, 2)).unbind(1))
    inverse = torch.stack([d, -b, -c, a], 1).view(-1, 2, 2) / (a * d - b * c)[:, None, None]
    return inverse @ stains
