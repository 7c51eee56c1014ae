"""Stain normalisation: every patch gets the stain of a reference, which is fitted to training patches."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from histopatch import components
from histopatch.errors import RunError

SAMPLE = 1000  # patches that a reference is fitted to


@dataclass(frozen=True)
class Normaliser:
    """A method, which is a module of this package, with its reference: the stain that patches get.

    A method has `measure(images)`, which returns the stain of each of float32 N×3×H×W images in 0–255 and
    which of them have any to measure (N), and `apply(images, reference)`, which returns images of that stain.
    """

    method: str
    reference: Tensor  # 2×3, on the device

    def __call__(self, images: Tensor) -> Tensor:
        """Give float32 N×3×H×W images in 0–255 the stain of the reference."""
        return components.load(f"stain.{self.method}").apply(images, self.reference)

    def description(self) -> dict:
        """What `rebuild` needs, as plain values."""
        return {"method": self.method, "reference": self.reference.tolist()}


def rebuild(description: dict, device: torch.device) -> Normaliser:
    """The normaliser of `Normaliser.description()`."""
    return Normaliser(description["method"], torch.tensor(description["reference"], device=device))


def fit(method: str, batches: Iterable[Tensor]) -> Normaliser:
    """A normaliser whose reference is the median stain of patches, uint8 n×H×W×3 a batch.

    Raises RunError where no patch has enough tissue.
    """
    found = []
    for pixels in batches:
        images = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        stains, usable = components.load(f"stain.{method}").measure(images)
        found.append(stains[usable])
    stains = torch.cat(found)
    if not len(stains):
        raise RunError(f"stain_normalisation: no training patch has tissue that {method} can measure")
    # On the CPU, as a GPU has no deterministic median.
    return Normaliser(method, stains.cpu().median(0).values.to(stains.device))


def draw_sample(rows: Tensor, seed: int) -> Tensor:
    """At most SAMPLE of some rows of a pack, in their order in it."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows[order[:SAMPLE]].sort().values
