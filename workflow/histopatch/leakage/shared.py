"""Images that two packs share, such as that of an external data set and the one that is trained on."""

import functools
import logging

import numpy as np
import pandas as pd

from histopatch.data.chunks import chunk_size, map_chunks
from histopatch.data.pool import worker_pool
from histopatch.files import read_table, write_table
from histopatch.leakage.duplicates import CHUNK, digest_pair


def shared_images(
    array: str, index: str, own_array: str, own_index: str, patches: str, shared: str, workers: int
) -> None:
    """List the patches that show the same pixels as some image of another pack: CSV `id,own_id`.

    Flips and rotations by multiples of 90° count as the same. array and index: the pack (uint8 N×H×H×3) of
    the patches (CSV `id`); own_array and own_index: the other pack, of whose equal images `own_id` is the
    first. Images of different sizes have no pixels in common, so that nothing is found.
    """
    wanted = read_table(index).merge(read_table(patches)[["id"]], on="id")
    own = read_table(own_index)
    pairs = pd.DataFrame({"id": [], "own_id": []}, dtype=str)
    if np.load(array, mmap_mode="r").shape[1:] == np.load(own_array, mmap_mode="r").shape[1:]:
        with worker_pool(workers) as pool:
            wanted["digest"] = _digests(pool, array, wanted.row.to_numpy())
            own["digest"] = _digests(pool, own_array, own.row.to_numpy())
        firsts = own.drop_duplicates("digest").rename(columns={"id": "own_id"})
        pairs = wanted.merge(firsts[["digest", "own_id"]], on="digest")[["id", "own_id"]]
    write_table(pairs, shared)
    logging.info(
        "%d of %d patches show the same pixels as an image of %s", len(pairs), len(wanted), own_array
    )


def _digests(pool, array: str, rows: np.ndarray) -> np.ndarray:
    """One digest for each of the given rows of a pack, shared by all orientations of an image."""
    size = chunk_size(CHUNK, np.load(array, mmap_mode="r")[:1].nbytes)
    return np.concatenate([*map_chunks(pool, functools.partial(_canonical, array), rows, size, "comparing")])


def _canonical(array: str, rows: np.ndarray) -> np.ndarray:
    return np.array([digest_pair(image)[1] for image in np.load(array, mmap_mode="r")[rows]])
