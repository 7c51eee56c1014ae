"""Verification: do the images of a folder still have the pixels that the pack holds?"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.console import progress
from histopatch.data.pack import CHUNK, decode
from histopatch.files import read_table


def changed_images(folder: str, array: str, index: str, workers: int) -> list[str]:
    """Read every packed image of a folder again; return the files that changed or became unreadable.

    array and index: the pack of that folder. Images added since are not looked at: the workflow notices
    them by their names.
    """
    images = read_table(index)
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    changed = []
    with (
        ProcessPoolExecutor(workers) as pool,
        progress(total=len(images), unit="img", desc=f"reading {folder}") as bar,
    ):
        tasks = [pool.submit(_changed, folder, array, chunk) for chunk in chunks]
        for task, chunk in zip(tasks, chunks, strict=True):
            changed += task.result()
            bar.update(len(chunk))
    return changed


def _changed(folder: str, array: str, chunk: pd.DataFrame) -> list[str]:
    """The files of one chunk of the index whose pixels differ from the pack's."""
    pack = np.load(array, mmap_mode="r")
    pixels = np.zeros(pack.shape[1:], np.uint8)
    changed = []
    for file, row in zip(chunk.file, chunk.row, strict=True):
        record = decode(Path(folder, file), pixels, row)
        if "reason" in record or not np.array_equal(pixels, pack[row]):
            changed.append(file)
    return changed
