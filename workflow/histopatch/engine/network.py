"""A classifier with its input size and format of computing: packed patches in, logits out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from histopatch.augmentation.draws import Draws
from histopatch.augmentation.prepare import prepare
from histopatch.backbones.classifier import Classifier
from histopatch.engine.device import is_out_of_memory
from histopatch.engine.formats import Format
from histopatch.engine.patches import Patches
from histopatch.stain.normaliser import Normaliser

# How many times as many patches are evaluated at a time as train: more, since no gradients are kept. On a CPU
# only up to so many pixels in all, beyond which evaluation is slower and takes more memory than training.
EVALUATION_BATCH, CPU_PIXELS = 4, 2**21


def evaluation_batch(micro_batch: int, size: int, device: torch.device) -> int:
    """How many patches of size×size pixels are evaluated at a time where `micro_batch` train."""
    if device.type != "cpu":
        return EVALUATION_BATCH * micro_batch
    return micro_batch * min(EVALUATION_BATCH, max(1, CPU_PIXELS // (micro_batch * size**2)))


@dataclass
class Network:
    model: Classifier
    image_size: int
    compute: Format
    symmetries: bool = False  # whether predictions are means over the flips and quarter turns of a patch
    normaliser: Normaliser | None = None  # of the stain
    compiled: Callable[[Tensor], Tensor] | None = None  # graph of the model in training
    compiled_batch: int = 0  # the batch size that it is for

    def logits(self, pixels: Tensor, draws: Draws | None = None, size: int | None = None) -> Tensor:
        """uint8 N×H×W×3 on the device, augmented with `draws`, to N float32 logits.

        size: height and width to resize to, other than the network's own.
        """
        size = size or self.image_size
        with self.compute.autocast(pixels.device):
            return self._forward(len(pixels), size)(self.images(pixels, draws, size)).float()

    def images(self, pixels: Tensor, draws: Draws | None = None, size: int | None = None) -> Tensor:
        """The input of the model, N×3×size×size float32, likewise."""
        backbone = self.model.backbone
        size = size or self.image_size
        images = prepare(pixels, size, backbone.mean, backbone.std, draws, self.normaliser)
        return images.contiguous(memory_format=self.compute.memory_format)

    @property
    def predicts_in(self) -> Format:
        """The format of computing of what a run keeps."""
        return self.compute

    def weights(self) -> dict[str, Tensor]:
        """All that a run keeps of the model."""
        return self.model.state_dict()

    def _predict(self, pixels: Tensor) -> Tensor:
        views = symmetries(pixels) if self.symmetries else [pixels]
        return torch.stack([self.logits(view) for view in views]).mean(0)

    def _forward(self, batch: int, size: int) -> Callable[[Tensor], Tensor]:
        fits = (batch, size) == (self.compiled_batch, self.image_size)
        return self.compiled if self.compiled is not None and self.model.training and fits else self.model

    @torch.inference_mode()
    def predict(self, patches: Patches, rows: Tensor, micro_batch: int) -> Tensor:
        """Logits of the patches in `rows`, in their order: N float32 on the device.

        micro_batch: patches that fit the memory at a time in training.
        """
        self.model.eval()
        device = next(self.model.parameters()).device
        batch_size = evaluation_batch(micro_batch, self.image_size, device)
        while True:
            try:
                batches = patches.batches(rows, batch_size)
                return torch.cat([self._predict(pixels) for pixels in batches])
            except RuntimeError as error:
                if not is_out_of_memory(error) or batch_size == 1:
                    raise
            batch_size //= 2
            torch.cuda.empty_cache()
            logging.warning("out of memory: predicting %d patches at a time", batch_size)


def symmetries(pixels: Tensor) -> list[Tensor]:
    """The eight flips and quarter turns of N×H×W×3 patches, themselves first."""
    return [
        torch.rot90(flipped, quarters, (1, 2))
        for flipped in (pixels, pixels.flip(2))
        for quarters in range(4)
    ]
