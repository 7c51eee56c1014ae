"""Everything that is drawn at random to augment patches, and its application to a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from histopatch import components
from histopatch.augmentation import geometry


@dataclass(frozen=True)
class Draws:
    """What was drawn for N samples: slice it for a batch, move it to a device, augment with it.

    All of an epoch is drawn beforehand on the CPU: the same on every device, and nothing to wait for inside
    the epoch.
    """

    matrices: Tensor  # N×2×2, output to input coordinates
    colour: Mapping[str, Tensor] = field(default_factory=dict)  # first dimension N, by component

    def __getitem__(self, samples: slice) -> "Draws":
        return Draws(self.matrices[samples], {name: drawn[samples] for name, drawn in self.colour.items()})

    def to(self, device: torch.device) -> "Draws":
        """The same draws on a device."""
        return Draws(
            self.matrices.to(device), {name: drawn.to(device) for name, drawn in self.colour.items()}
        )

    def change_colours(self, images: Tensor) -> Tensor:
        """Apply the colour operations in turn to float32 N×3×H×W images in 0–255."""
        for name, drawn in self.colour.items():
            images = components.load(name).apply(images, drawn)
        return images


def draw(count: int, augmentation: Mapping[str, bool | float], generator: torch.Generator) -> Draws:
    """Draw what augments `count` samples, geometry first, on the CPU.

    augmentation: strength by operation; one that is left out or 0 does nothing. Colour operations that do
    nothing draw nothing either, so that adding one to the library shuffles no training without it.
    """
    matrices = geometry.draw_matrices(
        count, augmentation.get("flips", False), augmentation.get("rotation", 0.0), generator
    )
    colour = {
        module: components.load(module).draw(count, augmentation[operation], generator)
        for operation, module in components.colour(augmentation).items()
    }
    return Draws(matrices, colour)
