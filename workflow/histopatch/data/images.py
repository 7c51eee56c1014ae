"""The images of a data set, wherever they are kept, as a list of which slices go to other processes."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from histopatch.data.decode import decode, read_size
from histopatch.errors import InputError

SAMPLE = 200  # images whose headers say which size is the commonest


class Images(Protocol):
    """Images in a fixed order."""

    where: str  # what holds them, for messages
    ids: Sequence[str]
    files: Sequence[str]  # what each is called where it is kept, for messages and tables

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice) -> Self: ...

    def decode(self, pixels: np.ndarray) -> list[dict]:
        """Write all images into `pixels` (N×size×size×3 uint8, zeros before); return a record of each.

        A record has `mode`, `width` and `height`, and `format`, `bytes`, `quality` and `software` as far as
        they are known, or `reason` if the image is unusable.
        """

    def size(self, number: int) -> tuple[int, int] | None:
        """Width and height of one image in pixels, without decoding it; None if it cannot be read."""

    def unpacked(self, scratch: Path) -> contextlib.AbstractContextManager[Self]:
        """The same images in files that can be read anywhere; what is compressed is unpacked in `scratch`."""


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a folder."""

    where: str  # the folder
    ids: Sequence[str]
    files: Sequence[str]  # paths relative to the folder

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, part: slice) -> Self:
        return ImageFiles(self.where, self.ids[part], self.files[part])

    def decode(self, pixels: np.ndarray) -> list[dict]:
        return [
            decode(Path(self.where, file), target) for file, target in zip(self.files, pixels, strict=True)
        ]

    def size(self, number: int) -> tuple[int, int] | None:
        return read_size(Path(self.where, self.files[number]))

    @contextlib.contextmanager
    def unpacked(self, scratch: Path) -> Iterator[Self]:
        yield self


def commonest_size(images: Images) -> int:
    """The commonest height and width of the images in pixels, from a sample spread over all of them.

    Raises InputError if none can be read, or if the commonest shape is not square.
    """
    numbers = np.unique(np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).round().astype(int))
    sizes = Counter(size for number in numbers if (size := images.size(number)) is not None)
    if not sizes:
        raise InputError(f"{images.where}: none of the first images can be read; set dataset.patch_size")
    (width, height), _ = sizes.most_common(1)[0]
    if width != height:
        raise InputError(
            f"{images.where}: most images are {width}×{height} px; only square patches are taken"
        )
    return width
