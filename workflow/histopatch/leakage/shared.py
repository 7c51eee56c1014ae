"""Images that two packs share, such as that of an external data set and the one that is trained on."""

import logging

import numpy as np
import pandas as pd

from histopatch.data.pixels import Pixels
from histopatch.data.pool import worker_pool
from histopatch.files import read_table, scratch_beside, write_table
from histopatch.leakage.duplicates import describe, verify_candidates
from histopatch.leakage.landmarks import map_landmarks
from histopatch.leakage.overlaps import candidates

COLUMNS = ["id", "own_id", "kind", "correlation", "overlap"]


def shared_images(
    array: str, index: str, own_array: str, own_index: str, patches: str, shared: str, workers: int
) -> None:
    """List the patches that show what some image of another pack shows: a CSV of COLUMNS.

    The kinds are those of duplicates.py, `identical`, `turned` and `near`. Each patch that does has one row,
    with the image that it is most like, and no other has any. array and index: the pack (uint8 N×H×H×3) of
    the patches (CSV `id`); own_array and own_index: the other pack. Images of different sizes are not
    compared, so that nothing is found.
    """
    wanted = read_table(index, ["id", "row"]).merge(read_table(patches, ["id"]), on="id")
    own = read_table(own_index, ["id", "row"])
    sizes = [Pixels(pack).shape[1] for pack in (array, own_array)]
    if sizes[0] != sizes[1]:
        logging.warning("images of %d px are not compared with those of %d px of %s", *sizes, own_array)
        pairs = pd.DataFrame(columns=COLUMNS)
    else:
        first = len(Pixels(own_array))  # row of the patches among the landmarks of both
        with worker_pool(workers) as pool, scratch_beside(shared) as scratch:
            with open(scratch / "landmarks", "wb") as file:
                own_digests = describe(pool, own_array, own.row.to_numpy(), file)
                digests = describe(pool, array, wanted.row.to_numpy(), file, first)
            same = _same_pixels(wanted, digests, own, own_digests)
            pairs = _between(candidates(map_landmarks(file.name)), first)
            near = verify_candidates(pool, pairs, own_array, array)
        near = near.assign(id=near.row_b.map(wanted.set_index("row").id), kind="near")
        near["own_id"] = near.row_a.map(own.set_index("row").id)
        near = near.sort_values("correlation", ascending=False, kind="stable")
        pairs = pd.concat([same, near])[COLUMNS].drop_duplicates("id").round(4)
        pairs = wanted[["id"]].merge(pairs, on="id")  # in the order of the patches
    write_table(pairs, shared)
    logging.info(
        "%d of %d patches are found to show what an image of %s shows", len(pairs), len(wanted), own_array
    )


def _same_pixels(
    wanted: pd.DataFrame, digests: np.ndarray, own: pd.DataFrame, own_digests: np.ndarray
) -> pd.DataFrame:
    """The pairs of the same pixels, identical ones first. digests: the `digest_pair` of each row."""
    kinds = []
    for column, kind in enumerate(("identical", "turned")):
        firsts = own.assign(digest=own_digests[:, column]).drop_duplicates("digest")
        firsts = firsts.rename(columns={"id": "own_id"})[["digest", "own_id"]]
        pairs = wanted.assign(digest=digests[:, column]).merge(firsts, on="digest")
        kinds.append(pairs.assign(kind=kind, correlation=1.0, overlap=1.0))
    return pd.concat(kinds)


def _between(pairs: pd.DataFrame, first: int) -> pd.DataFrame:
    """Those of one own image, `row_a`, and one other, `row_b`; each a row of its own pack.

    first: the row of the candidates that is the first of the other pack.
    """
    pairs = pairs[(pairs.row_a < first) & (pairs.row_b >= first)]
    return pairs.assign(row_b=pairs.row_b - first)
