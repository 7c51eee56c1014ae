"""Everything that is drawn at random to augment patches, and its application to a batch."""

from collections.abc import Callable, Mapping
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
    operations: Mapping[str, Tensor] = field(default_factory=dict)  # first dimension N, by component
    offsets: Tensor | None = None  # N×2, likewise, the image being [-1, 1]²
    mixing: Mapping[str, Tensor] = field(default_factory=dict)  # first dimension N, by component

    def __getitem__(self, samples: slice) -> "Draws":
        return self._map(lambda drawn: drawn[samples])

    def to(self, device: torch.device) -> "Draws":
        """The same draws on a device."""
        return self._map(lambda drawn: drawn.to(device))

    def _map(self, change: Callable[[Tensor], Tensor]) -> "Draws":
        operations, mixing = (
            {name: change(drawn) for name, drawn in all_drawn.items()}
            for all_drawn in (self.operations, self.mixing)
        )
        offsets = None if self.offsets is None else change(self.offsets)
        return Draws(change(self.matrices), operations, offsets, mixing)

    def mix(self, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the patches of a whole batch, uint8 N×H×W×3, and their targets (N) with each other."""
        for name, drawn in self.mixing.items():
            pixels, targets = components.load(name).apply(pixels, targets, drawn)
        return pixels, targets

    def change(self, images: Tensor) -> Tensor:
        """Apply the operations in turn to float32 N×3×H×W images in 0–255."""
        for name, drawn in self.operations.items():
            images = components.load(name).apply(images, drawn)
        return images


def draw(count: int, augmentation: Mapping[str, bool | float], generator: torch.Generator) -> Draws:
    """Draw what augments `count` samples, geometry first and mixing last, on the CPU.

    augmentation: strength by operation; one that is left out or 0 does nothing. Operations that do
    nothing draw nothing either, so that adding one to the library shuffles no training without it.
    """
    matrices, offsets = geometry.draw_maps(count, augmentation, generator)
    operations, mixing = (
        {
            module: components.load(module).draw(count, augmentation[name], generator)
            for name, module in chosen.items()
        }
        for chosen in (components.operations(augmentation), components.mixing(augmentation))
    )
    return Draws(matrices, operations, offsets, mixing)
