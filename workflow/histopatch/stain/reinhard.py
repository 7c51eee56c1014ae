"""Reinhard et al., IEEE Computer Graphics and Applications 21(5), 2001: colour statistics are matched."""

import functools

import torch
from torch import Tensor

from histopatch.stain.tissue import has_tissue, is_tissue

# From red, green and blue to the response of the cones, as published.
CONES = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))
# From logarithms of these to lightness l and the opponent colours α and β, before each is scaled.
OPPONENT = ((1.0, 1.0, 1.0), (1.0, 1.0, -2.0), (1.0, -1.0, 0.0))
FLAT = 1e-3  # a spread below this is none


def measure(images: Tensor) -> tuple[Tensor, Tensor]:
    """Means and standard deviations of l, α and β (N×2×3) of float32 N×3×H×W images in 0–255.

    And which patches have tissue whose colours vary (N).
    """
    return _measure(images, _to_lab(images))


def apply(images: Tensor, reference: Tensor) -> Tensor:
    """Give float32 N×3×H×W images in 0–255 the means and standard deviations of a reference (2×3).

    Patches with hardly any tissue stay as they are.
    """
    lab = _to_lab(images)
    measured, usable = _measure(images, lab)
    scale = reference[1] / measured[:, 1]
    shift = reference[0] - scale * measured[:, 0]
    matched = torch.addcmul(shift[:, :, None], scale[:, :, None], lab)
    changed = _from_lab(matched).clamp_(0, 255).view_as(images)
    return torch.where(usable[:, None, None, None], changed, images)


def _measure(images: Tensor, lab: Tensor) -> tuple[Tensor, Tensor]:
    spread, mean = torch.std_mean(lab, dim=2)
    usable = has_tissue(is_tissue(images.flatten(2))) & (spread > FLAT).all(1)
    return torch.stack([mean, spread.clamp(min=FLAT)], 1), usable


def _to_lab(images: Tensor) -> Tensor:
    """float32 N×3×H×W in 0–255 to lαβ: N×3×HW."""
    cones, opponent = _matrices(images.device)[::2]
    return opponent @ (cones @ (images.flatten(2) + 1)).log_()


def _from_lab(lab: Tensor) -> Tensor:
    _, from_cones, _, from_opponent = _matrices(lab.device)
    return (from_cones @ (from_opponent @ lab).exp_()).sub_(1)


@functools.cache
def _matrices(device: torch.device) -> tuple[Tensor, ...]:
    """To the cones and back, to lαβ and back."""
    cones = torch.tensor(CONES)
    opponent = torch.nn.functional.normalize(torch.tensor(OPPONENT))
    matrices = (cones, torch.linalg.inv(cones), opponent, opponent.T.contiguous())
    return tuple(matrix.to(device) for matrix in matrices)
