"""Verification: do the images of a data set still have the pixels that the pack holds?"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np

from histopatch.console import progress
from histopatch.data.images import Images
from histopatch.data.pack import CHUNK
from histopatch.files import read_table


def changed_images(images: Images, array: str, index: str, workers: int) -> list[str]:
    """Read every packed image again; return the files that changed or became unreadable.

    array and index: the pack of these images. Images added since are not looked at, and those removed are
    left out: the workflow notices both by their names.
    """
    row_of = read_table(index).set_index("file").row
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    changed = []
    with (
        ProcessPoolExecutor(workers) as pool,
        progress(total=len(images), unit="img", desc=f"reading {images.where}") as bar,
    ):
        tasks = [pool.submit(_changed, chunk, array, row_of.reindex(chunk.files)) for chunk in chunks]
        for task, chunk in zip(tasks, chunks, strict=True):
            changed += task.result()
            bar.update(len(chunk))
    return changed


def _changed(images: Images, array: str, rows) -> list[str]:
    """The files of one chunk whose pixels differ from the pack's. rows: where each is in it, or missing."""
    pack = np.load(array, mmap_mode="r")
    pixels = np.zeros((len(images), *pack.shape[1:]), np.uint8)
    records = images.decode(pixels)
    return [
        file
        for file, row, record, values in zip(images.files, rows, records, pixels, strict=True)
        if row == row and ("reason" in record or not np.array_equal(values, pack[int(row)]))
    ]
