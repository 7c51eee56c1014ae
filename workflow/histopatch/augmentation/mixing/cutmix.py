"""CutMix for labels that are about the centre: a part of the border comes from another patch.

Yun et al., ICCV 2019, paste a rectangle of another image and mix the labels by area. Where the central third
alone decides on the label, as in PatchCamelyon, no area says how much of the label has changed. So the square
pasted here spares the central third, and the target stays. To exchange the centre together with its label
would be the same seen from the other patch, which keeps its centre and label in another border.
"""

import torch
from torch import Tensor

from histopatch.augmentation.border import in_border


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Centres of squares as shares of width and height, and the share of their side: count×3.

    strength: the probability of a square; a patch without one has side 0. As published, centres are uniform,
    and so is the area of a square before it is cut at the edges of the patch.
    """
    chosen, area, *centre = torch.rand(4, count, generator=generator)
    return torch.stack([*centre, area.sqrt() * (chosen < strength)], 1)


def apply(pixels: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Paste squares `drawn` (N×3) of the patch half a batch away into each of uint8 N×H×W×3; targets stay."""
    pasted = in_border(drawn, *pixels.shape[1:3])
    return torch.where(pasted[..., None], pixels.roll(len(pixels) // 2, 0), pixels), targets
