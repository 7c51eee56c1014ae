"""Images in HDF5 files, N×H×W×3 uint8 each, as PatchCamelyon publishes them."""

import contextlib
import gzip
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import h5py
import numpy as np


@dataclass(frozen=True)
class PatchArrays:
    """Rows of the array `name` in HDF5 files."""

    where: str  # the folder
    ids: Sequence[str]
    files: Sequence[str]  # the file of each image
    rows: np.ndarray  # its row there
    name: str

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Self:
        return replace(self, ids=self.ids[part], files=self.files[part], rows=self.rows[part])

    def decode(self, pixels: np.ndarray) -> list[dict]:
        size = pixels.shape[1]
        record = {"mode": "RGB", "width": size, "height": size, "format": "HDF5"}
        for file in dict.fromkeys(self.files):
            here = np.flatnonzero(np.array(self.files) == file)
            with h5py.File(Path(self.where, file)) as opened:
                pixels[here] = opened[self.name][self.rows[here]]
        return [dict(record) for _ in self.ids]

    def size(self, number: int) -> tuple[int, int] | None:
        with h5py.File(Path(self.where, self.files[number])) as opened:
            height, width = opened[self.name].shape[1:3]
        return width, height

    @contextlib.contextmanager
    def unpacked(self, scratch: Path) -> Iterator[Self]:
        """The same images without compression: files that end in `.gz` are unpacked below `scratch`."""
        if not any(file.endswith(".gz") for file in self.files):
            yield self
            return
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            for file in dict.fromkeys(self.files):
                _unpack(Path(self.where, file), Path(folder, file.removesuffix(".gz")))
            yield replace(self, where=folder, files=[file.removesuffix(".gz") for file in self.files])


def _unpack(source: Path, target: Path) -> None:
    opener = gzip.open if source.suffix == ".gz" else open
    with opener(source, "rb") as packed, open(target, "wb") as plain:
        shutil.copyfileobj(packed, plain)
