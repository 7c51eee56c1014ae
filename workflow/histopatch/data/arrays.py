"""Images in HDF5 files, N×H×W×3 uint8 each, as PatchCamelyon publishes them."""

import contextlib
import gzip
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import h5py
import numpy as np

from histopatch.errors import InputError
from histopatch.files import scratch_beside


@dataclass(frozen=True)
class PatchArrays:
    """Rows of the array `name` in HDF5 files."""

    where: str  # the folder
    ids: Sequence[str]
    files: Sequence[str]  # the file of each image
    rows: np.ndarray  # its row there
    name: str
    plain: str | None = None  # the folder of the same files without compression

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Self:
        return replace(self, ids=self.ids[part], files=self.files[part], rows=self.rows[part])

    def decode(self, pixels: np.ndarray) -> list[dict]:
        size = pixels.shape[1]
        for first, end in self._stretches():
            with self._opened(self.files[first]) as array:
                height, width = array.shape[1:3]
                if (height, width) != (size, size):
                    raise InputError(
                        f"its patches have {width}×{height} px, not {size}×{size}; set dataset.patch_size"
                    )
                pixels[first:end] = array[self.rows[first] : self.rows[end - 1] + 1]
        record = {"mode": "RGB", "width": size, "height": size, "format": "HDF5"}
        return [dict(record) for _ in self.ids]

    def size(self, number: int) -> tuple[int, int]:
        with self._opened(self.files[number]) as array:
            height, width = array.shape[1:3]
        return width, height

    def describe_others(self) -> str:
        return ""

    @contextlib.contextmanager
    def unpacked(self, scratch: Path) -> Iterator[Self]:
        """The same images without compression: files that end in `.gz` are unpacked below `scratch`.

        Raises InputError for a file that is damaged or has more or fewer patches than there are images.
        """
        with scratch_beside(scratch / "plain") as folder:
            counts = Counter(self.files)
            for file in counts:
                _unpack(Path(self.where, file), Path(folder, file.removesuffix(".gz")))
            plain = replace(self, plain=str(folder))
            for file, count in counts.items():
                with plain._opened(file) as array:
                    if len(array) != count:
                        raise InputError(
                            f"has {len(array):,} patches, but there are {count:,} labels of them; "
                            "take both files from the same download"
                        )
            yield plain

    def together(self) -> int:
        """How many images lie in one compressed block of the arrays, which is always read as a whole."""
        blocks = []
        for file in dict.fromkeys(self.files):
            with self._opened(file) as array:
                blocks.append(array.chunks[0] if array.chunks else 1)
        return max(blocks, default=1)

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The first image and the end of each stretch that lies in one file without a gap."""
        start = 0
        for end in range(1, len(self) + 1):
            if (
                end == len(self)
                or self.files[end] != self.files[start]
                or self.rows[end] != self.rows[end - 1] + 1
            ):
                yield start, end
                start = end

    @contextlib.contextmanager
    def _opened(self, file: str) -> Iterator[h5py.Dataset]:
        """The array in a file; raises InputError if it is not one of patches.

        Every error while it is open becomes an InputError that names the file.
        """
        path = Path(self.plain, file.removesuffix(".gz")) if self.plain else Path(self.where, file)
        try:
            with h5py.File(path) as opened:
                if self.name not in opened:
                    raise InputError(f"has no array {self.name!r}, but {', '.join(opened) or 'none at all'}")
                array = opened[self.name]
                if fault := _fault(array):
                    raise InputError(fault)
                yield array
        except Exception as error:  # the library raises exceptions of any kind
            raise InputError(f"{Path(self.where, file)}: {_line(error)}") from None


def _fault(array) -> str | None:
    """Why an array does not hold patches, or None."""
    if not isinstance(array, h5py.Dataset):
        return f"{array.name} is a group, not an array"
    shape = "×".join(map(str, array.shape or ()))
    if array.ndim != 4 or array.shape[-1] != 3:
        hint = "; move the channels to the end" if array.ndim == 4 and array.shape[1] == 3 else ""
        return f"its array is {shape or 'empty'}, not patches×height×width×3{hint}"
    if array.dtype != np.uint8:
        return f"its numbers are {array.dtype}, not uint8 from 0 to 255; multiply and round them as needed"
    return None


def _line(error: Exception) -> str:
    """An error as one line; this module's own as they are."""
    text = " ".join(str(error).split())
    if not isinstance(error, InputError):
        text = f"cannot be read as HDF5, download it again ({text[:200]})"
    return "".join(c if c.isprintable() else " " for c in text)


def _unpack(source: Path, target: Path) -> None:
    """Put a file without compression at `target`."""
    if source.suffix != ".gz":
        target.symlink_to(source.absolute())
        return
    try:
        with gzip.open(source) as packed, open(target, "wb") as plain:
            shutil.copyfileobj(packed, plain, 2**20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{source}: is damaged, download it again ({error})") from None
