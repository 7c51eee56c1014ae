"""The pack: every image of a data set, decoded once into one array on disk.

Decoding a TIFF takes a CPU core some 150 µs, reading its pixels from the pack some 10 µs. Labels play no
part here, so editing the labels never decodes an image again.
"""

import itertools
import json
import logging
import math
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.console import progress
from histopatch.data.chunks import CHUNK_BYTES, chunk_size
from histopatch.data.images import Images, check_there_are_some
from histopatch.data.names import writable
from histopatch.data.pool import worker_pool
from histopatch.database import database
from histopatch.errors import InputError
from histopatch.files import replacing, write_blocks, write_table
from histopatch.parts import file_facts, kept_parts

CHUNK = 256  # images per task at most, so that memory use stays flat
# Most bytes of images that are read together, where a part of them would cost as much as all.
BLOCK_BYTES = 8 * CHUNK_BYTES
KEPT_ROWS = "rows-*.json"
PART_SECONDS = 10.0  # of work at most that a kill costs
REASONS_SHOWN = 5  # of those for which images are set aside
# The columns of the index and their types; only `bytes`, `quality` and `software` may be missing.
INDEX = {
    "id": "object", "row": "int64", "file": "object", "mode": "object", "width": "int64", "height": "int64",
    "min": "int64", "max": "int64", "mean": "float64", "std": "float64", "format": "object", "bytes": "Int64",
    "quality": "Int64", "software": "object", "red": "float64", "green": "float64", "blue": "float64",
}  # fmt: skip
SQL = {"object": "VARCHAR", "int64": "BIGINT", "Int64": "BIGINT", "float64": "DOUBLE"}
TYPES = {name: SQL[type_] for name, type_ in INDEX.items()} | {"reason": "VARCHAR"}
SAME_ID = "same id as "  # how the reason begins where two files share an id


def pack_images(
    images: Images, size: int, array: str, index: str, rejected: str, workers: int, code: str = ""
) -> None:
    """Decode all images into a uint8 array N×size×size×3, one row per image, in their order.

    index: table of the usable images (`id`, `row` in the array, `file`, its mode and shape, statistics of
    its pixel values, 0-255, how it was stored, and the mean of each channel). rejected: table of the images
    set aside, with the reason; the index leaves out their rows of the array. Raises InputError if none is
    usable. code: digest of the packing code; what was packed by the same code, of the same images, before a
    kill is not packed again.
    """
    check_there_are_some(images)
    warn_of_others(images)
    table = decode_images(images, size, array, workers, code)
    write_index([table], images.where, index, rejected)


def warn_of_others(images: Images) -> None:
    """Say what lies beside the images and is passed over."""
    if others := images.describe_others():
        logging.warning("%s: passed over: %s", images.where, others)


def decode_images(
    images: Images, size: int, array: str, workers: int, code: str, part: slice = slice(None)
) -> pd.DataFrame:
    """Decode the images, or a part of them, into `array`; return a row of each with the columns of INDEX and
    the `reason` why it is unusable, missing for others."""
    own = images[part]
    files = (Path(own.where, file) for file in dict.fromkeys(own.files))
    facts = itertools.chain([code, size], zip(own.ids, own.files, strict=True), file_facts(files))
    with kept_parts(array, facts) as parts, images.unpacked(parts.folder) as plain:
        pixels = parts.folder / "pixels.npy"
        offset = _reserve(pixels, (len(own), size, size, 3))
        table = _decode_all(plain[part], size, pixels, offset, workers)
        os.replace(pixels, array)
    return table


def write_index(records: Iterable[pd.DataFrame], where: str, index: str, rejected: str) -> None:
    """Write the tables of usable and of unusable images from blocks of the rows of `decode_images`.

    where: what holds the images. Of files that share an id because they differ only in their suffix, the
    first one by name is usable. Raises InputError if none is.
    """
    with database(index) as tables:
        tables.load("images", records, TYPES)
        tables.run(
            """CREATE TABLE repeated AS
            SELECT id, min(file) AS first FROM images WHERE reason IS NULL GROUP BY id HAVING count(*) > 1"""
        )
        tables.run(
            """CREATE TABLE judged AS
            SELECT images.* EXCLUDE reason,
                CASE WHEN reason IS NULL AND file <> first THEN ? || first ELSE reason END AS reason
            FROM images LEFT JOIN repeated USING (id)""",
            SAME_ID,
        )
        aside = tables.table("SELECT id, file, reason FROM judged WHERE reason IS NOT NULL ORDER BY place")
        (count,) = tables.row("SELECT count(*) FROM judged WHERE reason IS NULL")
        if not count:
            raise InputError(f"{where}: no usable image; {aside.file[0]} is set aside: {aside.reason[0]}")
        columns = ", ".join(f'"{name}"' for name in INDEX)
        used = tables.blocks(f"SELECT {columns} FROM judged WHERE reason IS NULL ORDER BY place")
        write_blocks((rows.astype(INDEX) for rows in used), index)
    write_table(aside, rejected)
    logging.info("packed %d images of %s, set %d aside", count, where, len(aside))
    for line in _commonest_reasons(aside):
        logging.warning("%s: set aside: %s", where, line)


def _reserve(path: Path, shape: tuple[int, ...]) -> int:
    """Make a .npy file of zeros, sparse if the file system can, and return the offset of its data.

    One that is there keeps its data, and the rows of an array that is not there any more go.
    """
    known = path.exists()
    if not known:
        for rows in path.parent.glob(KEPT_ROWS):
            rows.unlink()
    with open(path, "r+b" if known else "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        offset = file.tell()
        file.truncate(offset + int(np.prod(shape)))
    return offset


def _decode_all(images: Images, size: int, path: Path, offset: int, workers: int) -> pd.DataFrame:
    """Decode all images and return a row of each, in their order.

    Rows are kept beside `path` every few seconds, those of images whose pixels it has.
    """
    step, tables = images_per_task(images, size), _kept_rows(path.parent)
    done = sum(map(len, tables))
    if done:
        logging.info("going on after %d of %d images", done, len(images))
    with (
        worker_pool(workers) as pool,
        progress(total=len(images), initial=done, unit="img", desc=f"packing {images.where}") as bar,
    ):
        tasks = [
            pool.submit(_decode_chunk, images[start : start + step], start, size, path, offset)
            for start in range(done, len(images), step)
        ]
        fresh, kept = [], time.monotonic()
        for task in tasks:
            fresh.append(task.result())
            bar.update(len(fresh[-1]))
            if time.monotonic() - kept > PART_SECONDS:
                tables.append(pd.concat(fresh, ignore_index=True))
                _keep_rows(tables[-1], path)
                fresh, kept = [], time.monotonic()
    empty = pd.DataFrame(columns=[*INDEX, "reason"])
    return pd.concat([*tables, *fresh] or [empty], ignore_index=True).astype({"reason": "object"})


def _keep_rows(table: pd.DataFrame, array: Path) -> None:
    with open(array, "rb") as file:
        os.fsync(file.fileno())  # or a power cut might leave rows without their pixels
    with replacing(array.with_name(f"rows-{table.row[0]:012d}.json")) as temporary:
        temporary.write_text(json.dumps(table.to_dict("list")))


def _kept_rows(folder: Path) -> list[pd.DataFrame]:
    return [pd.DataFrame(json.loads(path.read_text())) for path in sorted(folder.glob(KEPT_ROWS))]


def images_per_task(images: Images, size: int) -> int:
    """How many images of size×size px a process decodes at a time: whole blocks where they lie in such."""
    image_bytes, together = 3 * size**2, images.together()
    count = chunk_size(CHUNK, image_bytes)
    return -(-count // together) * together if together * image_bytes <= BLOCK_BYTES else count


def _decode_chunk(images: Images, first_row: int, size: int, path: Path, offset: int) -> pd.DataFrame:
    """Decode a chunk of images and write them to their rows; return a table with a row of each.

    As a table because the dictionaries of all images would take more than twice the memory.
    """
    pixels = np.zeros((len(images), size, size, 3), np.uint8)
    decoded = images.decode(pixels)
    records = [
        {"id": writable(id_), "row": row, "file": writable(file)} | record
        for row, (id_, file, record) in enumerate(
            zip(images.ids, images.files, decoded, strict=True), first_row
        )
    ]
    for record, values, file in zip(records, statistics(pixels), images.files, strict=True):
        if record["file"] != file:
            record["reason"] = "the name of the file is not UTF-8; rename it"
        if "reason" not in record:
            record |= values
    # Written rather than mapped: written pages do not count as memory of this process.
    with open(path, "r+b") as file:
        os.pwrite(file.fileno(), pixels, offset + first_row * pixels[0].nbytes)
    return pd.DataFrame(records, columns=[*INDEX, "reason"])


def statistics(pixels: np.ndarray) -> list[dict]:
    """Minimum, maximum, mean and standard deviation of the values of each image (N×size×size×3), and the
    mean of each channel."""
    lines = pixels.reshape(*pixels.shape[:2], -1)
    # In integers, so that the last digit does not depend on the order of summation; 64 bits fit any size.
    # Sums of so many rows fit 16 bits, which takes half the time of 32.
    blocks = [lines[:, top : top + 257].sum(1, dtype=np.uint16) for top in range(0, lines.shape[1], 257)]
    sums = np.sum(blocks, axis=0, dtype=np.uint64).reshape(len(pixels), -1, 3).sum(1)
    squares = np.einsum("nyx,nyx->ny", lines, lines, dtype=np.uint32).sum(1, dtype=np.uint64)
    values = (lines.min((1, 2)), lines.max((1, 2)), squares, *sums.T)
    count = pixels[0].size
    records = []
    for low, high, square, red, green, blue in zip(*(column.tolist() for column in values), strict=True):
        total = red + green + blue
        deviation = math.sqrt(count * square - total**2) / count
        record = {"min": low, "max": high, "mean": round(total / count, 2), "std": round(deviation, 2)}
        channels = {"red": red, "green": green, "blue": blue}
        records.append(record | {name: round(3 * value / count, 2) for name, value in channels.items()})
    return records


def _commonest_reasons(aside: pd.DataFrame) -> list[str]:
    """The commonest reasons, each with its count and an example; whatever the numbers in them."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for file, reason in zip(aside.file, aside.reason, strict=True):
        kinds.setdefault(re.sub(r"\d+", "0", reason.partition(" as ")[0]), []).append((file, reason))
    most = sorted(kinds.values(), key=len, reverse=True)
    lines = [
        f"{_count(len(images))}, {'such as ' * (len(images) > 1)}{images[0][0]!r}: {images[0][1]}"
        for images in most
    ]
    rest = sum(len(images) for images in most[REASONS_SHOWN:])
    return [*lines[:REASONS_SHOWN], *([f"{_count(rest)} for other reasons"] if rest else [])]


def _count(images: int) -> str:
    return f"{images:,} image" + "s" * (images != 1)
