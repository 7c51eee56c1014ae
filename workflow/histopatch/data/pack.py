"""The pack: every image of a folder, decoded once into one array on disk.

Decoding a TIFF takes a CPU core some 150 µs, reading its pixels from the pack some 10 µs. Labels play no
part here, so editing the labels never decodes an image again.
"""

import io
import logging
import math
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import ExifTags, Image, TiffTags

from histopatch.console import progress
from histopatch.data.images import list_images
from histopatch.errors import InputError
from histopatch.files import replacing, write_table

CHUNK = 256  # images per task: 7 MB of 96×96 patches, so that memory use stays flat
MODES = ("RGB", "RGBA", "L", "P")  # 8 bits per channel, converted to RGB without loss of intensity
INDEX = ["id", "row", "file", "mode", "width", "height", "min", "max", "mean", "std"]
REJECTED = ["id", "file", "reason"]
XMP = 700
# A TIFF with one of these tags is left to Pillow, which may rotate the image or read more than its strips.
SPECIAL_TAGS = (ExifTags.Base.Orientation, XMP, *TiffTags.TAGS_V2_GROUPS)

# Every format that Pillow knows, TIFF first: otherwise each of the others would look at the file before it.
Image.init()
FORMATS = ("TIFF", *(name for name in Image.ID if name != "TIFF"))


def pack_folder(folder: str, size: int, array: str, index: str, rejected: str, workers: int) -> None:
    """Decode every image of a folder into a uint8 array N×size×size×3, one row per file, sorted by name.

    index: table of the usable images (`id` is the file name without its suffix, `row` the row in the array,
    then the file's mode and shape and statistics of its pixel values, 0-255). rejected: table of the images
    set aside, with the reason; the index leaves out their rows of the array.
    Raises InputError if the folder has no image, or none that is usable.
    """
    names = list_images(Path(folder))
    if not names:
        raise InputError(f"{folder}: there are no images here (.tif, .tiff, .png, .jpg)")
    with replacing(array) as temporary:
        offset = _reserve(temporary, (len(names), size, size, 3))
        records = _decode_all(folder, names, size, temporary, offset, workers)
    _set_aside_repeated_ids(records)
    records.sort(key=lambda record: record["file"])
    used = pd.DataFrame([r for r in records if "reason" not in r], columns=INDEX)
    aside = pd.DataFrame([r for r in records if "reason" in r], columns=REJECTED)
    if used.empty:
        raise InputError(f"{folder}: no usable image; the first is set aside: {aside.reason[0]}")
    write_table(used, index)
    write_table(aside, rejected)
    logging.info("packed %d images of %s, set %d aside", len(used), folder, len(aside))


def _reserve(path: Path, shape: tuple[int, ...]) -> int:
    """Make a .npy file of zeros, sparse if the file system can, and return the offset of its data."""
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        offset = file.tell()
        file.truncate(offset + int(np.prod(shape)))
    return offset


def _decode_all(folder, names, size, path, offset, workers) -> list[dict]:
    starts = range(0, len(names), CHUNK)
    with (
        ProcessPoolExecutor(workers) as pool,
        progress(total=len(names), unit="img", desc=f"packing {folder}") as bar,
    ):
        tasks = [
            pool.submit(_decode_chunk, folder, names[s : s + CHUNK], s, size, path, offset) for s in starts
        ]
        records = []
        for task in as_completed(tasks):
            records += task.result()
            bar.update(len(task.result()))
    return records


def _decode_chunk(folder, names, first_row, size, path, offset) -> list[dict]:
    """Decode a chunk of images and write them to their rows; return a record of each."""
    pixels = np.zeros((len(names), size, size, 3), np.uint8)
    records = [decode(Path(folder, name), pixels[i], first_row + i) for i, name in enumerate(names)]
    for record, values in zip(records, statistics(pixels), strict=True):
        if "reason" not in record:
            record |= values
    # Written rather than mapped: written pages do not count as memory of this process.
    with open(path, "r+b") as file:
        os.pwrite(file.fileno(), pixels, offset + first_row * pixels[0].nbytes)
    return records


def decode(path: Path, target: np.ndarray, row: int) -> dict:
    """Decode one image into `target` (size×size×3); return its record, with `reason` if it is unusable."""
    known = {"id": path.stem, "row": row, "file": path.name}
    height, width = target.shape[:2]
    try:
        # Read whole first: Pillow seeks back and forth in a file, a system call each time.
        with open(path, "rb", buffering=0) as file:
            content = file.read()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.size != (width, height):
                shape = f"{image.width}×{image.height}"
                return known | {"reason": f"shape {shape}, not {width}×{height}"}
            if image.mode not in MODES:
                return known | {"reason": f"mode {image.mode} is not 8-bit colour or grey"}
            plain = _plain_pixels(image, content)
            target[:] = np.asarray(image.convert("RGB")) if plain is None else plain
            return known | {"mode": image.mode, "width": width, "height": height}
    except Exception as error:  # decoders raise exceptions of any kind; one bad file must not end the job
        target[:] = 0
        return known | {"reason": f"unreadable: {type(error).__name__}"}


def _plain_pixels(image: Image.Image, content: bytes) -> np.ndarray | None:
    """A view of the pixels of an uncompressed RGB TIFF with a single strip; None for all other images.

    Kaggle's images are of this kind. Pillow located the pixels when it opened the file; to load them it
    would parse the tags twice more and copy the pixels three times, half of the work on an image.
    """
    if image.format != "TIFF" or len(image.tile) != 1 or any(tag in image.tag_v2 for tag in SPECIAL_TAGS):
        return None
    codec, box, offset, arguments = image.tile[0]
    if (codec, box, arguments) != ("raw", (0, 0, *image.size), ("RGB", 0, 1)):
        return None
    shape = (image.height, image.width, 3)
    if offset + math.prod(shape) > len(content):
        return None  # truncated, which Pillow reports when it loads the pixels
    return np.frombuffer(content, np.uint8, math.prod(shape), offset).reshape(shape)


def statistics(pixels: np.ndarray) -> list[dict]:
    """Minimum, maximum, mean and standard deviation of the values of each image (N×size×size×3)."""
    lines = pixels.reshape(*pixels.shape[:2], -1)
    # In integers, so that the last digit does not depend on the order of summation; 64 bits fit any size.
    sums = lines.sum(2, dtype=np.uint32).sum(1, dtype=np.uint64)
    squares = np.einsum("nyx,nyx->ny", lines, lines, dtype=np.uint32).sum(1, dtype=np.uint64)
    values = (lines.min((1, 2)), lines.max((1, 2)), sums, squares)
    count = pixels[0].size
    return [
        {
            "min": low,
            "max": high,
            "mean": round(total / count, 2),
            "std": round(math.sqrt(count * square - total**2) / count, 2),
        }
        for low, high, total, square in zip(*(column.tolist() for column in values), strict=True)
    ]


def _set_aside_repeated_ids(records: list[dict]) -> None:
    """Of files that share an id because they differ only in their suffix, keep the first one by name."""
    owner: dict[str, str] = {}
    for record in sorted(records, key=lambda record: record["file"]):
        if "reason" in record:
            continue
        if record["id"] in owner:
            record["reason"] = f"same id as {owner[record['id']]}"
        else:
            owner[record["id"]] = record["file"]
