"""Occlusion: what the logit becomes where the centre of a patch, or all but the centre, cannot be seen.

After Zeiler & Fergus, ECCV 2014. Needs no gradients.
"""

from torch import Tensor

from histopatch.data.centre import centre


def without_centre(pixels: Tensor) -> Tensor:
    """Patches with the mean colour of each in place of its centre; uint8 N×H×W×3."""
    rows, columns = map(centre, pixels.shape[1:3])
    occluded = pixels.clone()
    occluded[:, rows, columns] = _mean_colour(pixels)
    return occluded


def without_border(pixels: Tensor) -> Tensor:
    """Patches with the mean colour of each in place of all but its centre; uint8 N×H×W×3."""
    rows, columns = map(centre, pixels.shape[1:3])
    occluded = _mean_colour(pixels).expand_as(pixels).clone()
    occluded[:, rows, columns] = pixels[:, rows, columns]
    return occluded


def _mean_colour(pixels: Tensor) -> Tensor:
    """The mean colour of each patch: N×1×1×3, rounded."""
    return pixels.float().mean(dim=(1, 2), keepdim=True).round().to(pixels.dtype)
