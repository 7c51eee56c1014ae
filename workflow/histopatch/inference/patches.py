"""New patches, in an array or in files, a part at a time as uint8 n×S×S×3."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from histopatch.data.images import ImageFiles
from histopatch.errors import InputError

PART_BYTES = 2**26  # pixels in memory at a time: 2,427 patches of 96×96 px

Images = np.ndarray | Sequence[str | Path]


class Part:
    """Some patches on a device, which a network reads as it reads those of a pack."""

    def __init__(self, pixels: np.ndarray, device: torch.device):
        self.pixels = torch.from_numpy(pixels).to(device)

    def __len__(self) -> int:
        return len(self.pixels)

    def batches(self, rows: Tensor, batch_size: int) -> Iterator[Tensor]:
        for batch in rows.split(batch_size):
            yield self.pixels[batch.to(self.pixels.device)]


def check_images(images: Images, size: int) -> None:
    """Raise InputError unless images are uint8 N×size×size×3, or paths of files."""
    if isinstance(images, np.ndarray):
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3):
            found = "×".join(map(str, images.shape)) or "a single number"
            raise InputError(
                f"images: an array must be uint8 N×{size}×{size}×3, RGB from 0 to 255 as in an image file, "
                f"not {images.dtype} {found}"
            )
    elif isinstance(images, str | Path) or not isinstance(images, Sequence):
        raise InputError(f"images: give a NumPy array or a list of files, not one {type(images).__name__}")
    elif others := [image for image in images if not isinstance(image, str | Path)]:
        raise InputError(
            f"images: a list must hold paths of files, not a {type(others[0]).__name__}; stack patches in "
            "memory to one array"
        )


def parts(images: Images, size: int) -> Iterator[np.ndarray]:
    """The pixels of images that `check_images` takes, in their order, uint8 n×size×size×3.

    Raises InputError for a file that cannot be used, with the reason.
    """
    step = max(1, PART_BYTES // (3 * size**2))
    for start in range(0, len(images), step):
        part = images[start : start + step]
        yield np.array(part) if isinstance(part, np.ndarray) else _read(part, size)


def _read(paths: Sequence[str | Path], size: int) -> np.ndarray:
    pixels = np.zeros((len(paths), size, size, 3), np.uint8)
    names = [str(path) for path in paths]
    for name, record in zip(
        names, ImageFiles("", names, names, named=True, seen=False).decode(pixels), strict=True
    ):
        if "reason" in record:
            raise InputError(f"{name}: {record['reason']}")
    return pixels
