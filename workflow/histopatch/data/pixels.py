"""The pixels of a pack, read from its one file or from its shards as one array."""

from pathlib import Path

import numpy as np

from histopatch.errors import InputError

# What the file of a pack in shards holds instead of pixels: a row for each shard, in order. The digest is of
# the shard's file, so that the pack is another file where its pixels are others.
SHARD = np.dtype([("file", "U80"), ("patches", "i8"), ("digest", "U64")])


class Pixels:
    """Rows of a pack: uint8 N×H×W×3 on disk, of which an index reads a copy into memory.

    Files are mapped anew for each read, which releases the pages read before. Raises InputError if a shard
    is not there, or has another number of patches than the pack was made with.
    """

    def __init__(self, path: str | Path):
        self._files = shard_files(path) or [Path(path)]
        self._layouts = [_layout(file) for file in self._files]
        counts = [shape[0] for _, shape in self._layouts]
        self._ends = np.cumsum(counts)
        self.shape = (int(self._ends[-1]), *self._layouts[0][1][1:])
        self.nbytes = int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """The patches of some rows, uint8 and of the shape of `rows` and then H×W×3."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        flat = rows.ravel()
        if len(self._files) == 1:
            pixels = np.asarray(self._map(0)[flat])
        else:
            pixels = np.empty((len(flat), *self.shape[1:]), np.uint8)
            shards = np.searchsorted(self._ends, flat, side="right")
            for shard in np.unique(shards):
                here = shards == shard
                start = self._ends[shard] - self._layouts[shard][1][0]
                pixels[here] = self._map(shard)[flat[here] - start]
        return pixels.reshape(*rows.shape, *self.shape[1:])

    def _map(self, shard: int) -> np.ndarray:
        offset, shape = self._layouts[shard]
        return np.memmap(self._files[shard], np.uint8, "r", offset, shape)


def shard_files(path: str | Path) -> list[Path]:
    """The files of the shards of a pack; none where it is one array."""
    top = np.load(path, mmap_mode="r")
    if top.dtype != SHARD:
        return []
    files = [Path(path).parent / str(file) for file in top["file"]]
    for file, patches in zip(files, top["patches"], strict=True):
        if not file.is_file() or _layout(file)[1][0] != patches:
            raise InputError(f"{file}: this shard of {path} is gone or another; run the workflow again")
    return files


def _layout(path: Path) -> tuple[int, tuple[int, ...]]:
    """Where the data of a .npy file begin, and their shape."""
    header = np.load(path, mmap_mode="r")
    return header.offset, header.shape
