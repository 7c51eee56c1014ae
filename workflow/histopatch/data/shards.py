"""Packing in shards: parts of the images, each packed by a job of its own, and read as one array."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.data.images import Images, check_there_are_some
from histopatch.data.pack import decode_images, warn_of_others, write_index
from histopatch.data.pixels import SHARD
from histopatch.files import read_blocks, read_table, replacing, write_table


def part_of(count: int, shard: int, shards: int) -> slice:
    """Which of `count` images a shard has, by its number from 1: consecutive ones, as many as any other."""
    return slice((shard - 1) * count // shards, shard * count // shards)


def pack_shard(
    images: Images, part: slice, size: int, array: str, table: str, workers: int, code: str = ""
) -> None:
    """Decode a part of the images into a uint8 array n×size×size×3.

    table: a row of each of them with the reason if it is unusable. code: as of `pack.pack_images`.
    """
    check_there_are_some(images)
    write_table(decode_images(images, size, array, workers, code, part), table)


def join_shards(
    arrays: Sequence[str], tables: Sequence[str], images: Images, array: str, index: str, rejected: str
) -> None:
    """Make a pack of the shards of `images`, in their order, which stay where they are.

    arrays and tables: of `pack_shard`, below the folder of `array`, which becomes the list of them (SHARD);
    index and rejected: as of `pack.pack_images`, of all images. Raises InputError if none is usable.
    """
    warn_of_others(images)
    counts = [len(read_table(table, ["row"])) for table in tables]
    names = [Path(file).relative_to(Path(array).parent).as_posix() for file in arrays]
    listed = zip(names, counts, map(_digest, arrays), strict=True)
    with replacing(array) as temporary, open(temporary, "wb") as file:
        np.save(file, np.array([*listed], SHARD))
    write_index(_numbered(tables), images.where, index, rejected)


def _numbered(tables: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The rows of the shards' tables in blocks, numbered as rows of the whole pack."""
    count = 0
    for table in tables:
        for rows in read_blocks(table):
            yield rows.assign(row=range(count, count + len(rows)))
            count += len(rows)


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
