"""The images of a data set, wherever they are kept, as a list of which slices go to other processes."""

import contextlib
import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from histopatch.data.decode import decode, read_size
from histopatch.data.listing import IMAGE_SUFFIXES, describe_others
from histopatch.data.names import tidy, writable
from histopatch.errors import InputError

AT_A_TIME = 2**16  # names that are made of others, or put together, at a time
SAMPLE = 200  # images whose headers say which size is the commonest
SIZES = range(16, 1025)  # of patches that can be packed


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

    def size(self, number: int) -> tuple[int, int] | str:
        """Width and height of one image in pixels, or the reason why it cannot be read."""

    def describe_others(self) -> str:
        """What lies beside the images and is passed over, in words; empty if nothing does."""

    def unpacked(self, scratch: Path) -> contextlib.AbstractContextManager[Self]:
        """The same images in files that can be read anywhere; what is compressed is unpacked in `scratch`."""

    def together(self) -> int:
        """How many images are best read at a time; 1 if it makes no difference."""


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a folder."""

    where: str  # the folder
    ids: Sequence[str]
    files: Sequence[str]  # paths relative to the folder
    named: bool = False  # whether a table names them; otherwise the folder has no other images
    seen: bool = True  # whether each was there when they were listed

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, part: slice) -> Self:
        return replace(self, ids=self.ids[part], files=self.files[part])

    def decode(self, pixels: np.ndarray) -> list[dict]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about metadata
            records = [
                decode(Path(self.where, file), target)
                for file, target in zip(self.files, pixels, strict=True)
            ]
        if self.seen:
            self._check_they_are_there(records)
        return records

    def _check_they_are_there(self, records: list[dict]) -> None:
        """Raise InputError for an image that was there when they were listed, and is not any more."""
        for file, record in zip(self.files, records, strict=True):
            path = Path(self.where, file)
            if "reason" in record and not os.path.lexists(path):
                raise InputError(
                    f"{str(path)!r}: it was removed, or its disk, since the work began; run the same command "
                    "again"
                )

    def size(self, number: int) -> tuple[int, int] | str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_size(Path(self.where, self.files[number]))

    def describe_others(self) -> str:
        return "" if self.named else describe_others(self.where, self.files)

    @contextlib.contextmanager
    def unpacked(self, scratch: Path) -> Iterator[Self]:
        yield self

    def together(self) -> int:
        return 1


class Stems(Sequence[str]):
    """The ids of image files, their names without a suffix, made when they are asked for."""

    def __init__(self, files: Sequence[str]):
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, place: int | slice) -> "str | Stems":
        return Stems(self._files[place]) if isinstance(place, slice) else _stems([self._files[place]])[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), AT_A_TIME):
            yield from _stems(self._files[start : start + AT_A_TIME])


def _stems(files: Sequence[str]) -> list[str]:
    return tidy(writable(file).rpartition(".")[0] for file in files)


def names_digest(images: Images) -> str:
    """Digest of the names of images: sees additions and removals, and nothing else.

    The same ids and files in another order have another digest.
    """
    digest = hashlib.sha256()
    for number, names in enumerate((images.ids, images.files)):
        for start in range(0, len(names), AT_A_TIME):
            text = "\n".join(names[start : start + AT_A_TIME])
            separator = "\n" if number or start else ""
            digest.update((separator + text).encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def check_unchanged(images: Images, known: str | None) -> None:
    """Raise InputError if images came or went since their `names_digest` was taken; None knows nothing."""
    if known not in (None, names_digest(images)):
        raise InputError(
            f"{images.where}: images were added or removed since the work was planned; run the same command "
            "again"
        )


def check_there_are_some(images: Images) -> None:
    """Raise InputError, which says what there is instead, if there are no images."""
    if not len(images):
        suffixes = ", ".join(IMAGE_SUFFIXES)
        others = images.describe_others()
        found = f"it has {others}" if others else "the folder is empty"
        raise InputError(f"{images.where}: there are no images here ({suffixes}); {found}")


def commonest_size(images: Images) -> int:
    """The commonest height and width of the images in pixels, from a sample spread over all of them.

    Raises InputError if none can be read, or if the commonest shape is no square that can be packed.
    """
    numbers = np.unique(np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).round().astype(int))
    found = {int(number): images.size(number) for number in numbers}
    sizes = Counter(size for size in found.values() if not isinstance(size, str))
    if not sizes:
        first = next(iter(found))
        raise InputError(
            f"{images.where}: none of {len(found)} images can be read; {images.files[first]!r} is set aside: "
            f"{found[first]}"
        )
    (width, height), count = sizes.most_common(1)[0]
    if width != height or width not in SIZES:
        example = next(images.files[n] for n, size in found.items() if size == (width, height))
        raise InputError(
            f"{images.where}: {count} of {len(found)} images have {width}×{height} px, such as {example!r}; "
            f"cut them into squares of {SIZES[0]} to {SIZES[-1]} px, or set dataset.patch_size"
        )
    return width
