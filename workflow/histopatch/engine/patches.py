"""Batches of packed patches on the device: the whole pack kept there when it fits, streamed otherwise."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from histopatch.ahead import read_ahead
from histopatch.data.pixels import Pixels

COPY_ROWS = 4096  # rows copied to the device at a time: 113 MB of 96×96 patches


class Patches:
    """Reads rows of a pack (uint8 N×H×W×3) as tensors on a device.

    Rows come out the same whether the pack is resident on the device or streamed to it.
    """

    def __init__(self, path: str, device: torch.device, resident: bool | None = None):
        """resident: None keeps the pack on a GPU when it takes at most half of its free memory."""
        self.pixels, self.device = Pixels(path), device
        self.size = self.pixels.shape[1]  # height and width in pixels
        if resident is None:
            resident = device.type == "cuda" and self.pixels.nbytes < torch.cuda.mem_get_info()[0] / 2
        self.resident = self._copy() if resident else None

    def _copy(self) -> Tensor:
        resident = torch.empty(self.pixels.shape, dtype=torch.uint8, device=self.device)
        for start in range(0, len(self.pixels), COPY_ROWS):
            chunk = torch.from_numpy(self.pixels[start : start + COPY_ROWS])
            resident[start : start + COPY_ROWS] = chunk.to(self.device)
        return resident

    def batches(self, rows: Tensor, batch_size: int | list[int]) -> Iterator[Tensor]:
        """Yield the patches of `rows` (on the CPU) in order, uint8 n×H×W×3, batch_size at a time.

        batch_size: of all batches, or of each one.
        """
        if self.resident is not None:
            for batch in rows.to(self.device).split(batch_size):
                yield self.resident[batch]
            return
        for pixels in read_ahead(lambda batch: self.pixels[batch.numpy()], rows.split(batch_size)):
            yield self._send(pixels)

    def _send(self, pixels: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(pixels)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor
