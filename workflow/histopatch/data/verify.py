"""Verification: do the images of a data set still have the pixels that the pack holds?"""

import numpy as np
import pandas as pd

from histopatch.console import progress
from histopatch.data.images import Images
from histopatch.data.names import writable
from histopatch.data.pack import images_per_task
from histopatch.data.pixels import Pixels
from histopatch.data.pool import worker_pool
from histopatch.files import read_table, scratch_beside


def changed_images(images: Images, array: str, index: str, workers: int) -> list[str]:
    """Read every packed image again; return the files that changed, became unreadable or are gone.

    array and index: the pack of these images. Images added since are not looked at: the workflow notices
    them by their names.
    """
    packed = read_table(index, ["id", "file", "row"])
    now = pd.DataFrame({"id": [*images.ids], "file": [writable(file) for file in images.files]}, dtype=str)
    rows = now.merge(packed, how="left").row
    changed = packed.file[~packed.id.isin(now.id[rows.notna()])].tolist()
    with (
        scratch_beside(array) as scratch,
        images.unpacked(scratch) as plain,
        worker_pool(workers) as pool,
        progress(total=len(images), unit="img", desc=f"reading {images.where}") as bar,
    ):
        step = images_per_task(plain, Pixels(array).shape[1])
        tasks = [
            pool.submit(_changed, plain[start : start + step], array, rows[start : start + step].to_numpy())
            for start in range(0, len(images), step)
        ]
        for task in tasks:
            changed += task.result()
            bar.update(min(step, len(images) - bar.n))
    return list(dict.fromkeys(changed))


def _changed(images: Images, array: str, rows: np.ndarray) -> list[str]:
    """The files of one chunk whose pixels differ from the pack's. rows: where each is in it, or missing."""
    pack = Pixels(array)
    pixels = np.zeros((len(images), *pack.shape[1:]), np.uint8)
    records = images.decode(pixels)
    return [
        file
        for file, row, record, values in zip(images.files, rows, records, pixels, strict=True)
        if row == row and ("reason" in record or not np.array_equal(values, pack[int(row)]))
    ]
