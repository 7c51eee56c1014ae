"""Duplicates: pairs of patches of a pack that show the same tissue, independent of any split.

identical  the same pixels
turned     the same pixels after a flip, a rotation by a multiple of 90°, or both
near       otherwise the same tissue: overlapping crops, or copies with other brightness, contrast or
           compression, in any of the eight orientations (landmarks.py and overlaps.py say how they are found)
"""

import functools
import hashlib
import itertools
import logging
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from histopatch.data.chunks import chunk_size, map_chunks
from histopatch.data.pack_index import find_images
from histopatch.data.pixels import Pixels
from histopatch.data.pool import worker_pool
from histopatch.files import read_table, scratch_beside, write_table
from histopatch.leakage.landmarks import band_pass, find_landmarks, map_landmarks
from histopatch.leakage.overlaps import candidates, verify
from histopatch.leakage.symmetries import symmetries

CHUNK = 128  # patches, or pairs of patches, per task at most
# With more copies of one image than this (usually empty glass) each is paired with the first one of the same
# orientation only, and these with the first of all: a thousand white images would make half a million pairs.
MAX_ALL_PAIRS = 32
DIGEST = np.dtype("S16")
PAIRS = ["kind", "row_a", "row_b", "correlation", "overlap"]


def duplicate_files(array: str, index: str, duplicates: str, workers: int) -> None:
    """Find the duplicates among the images of a pack: CSV `kind,id_a,id_b,correlation,overlap`.

    array: the pack, uint8 N×H×H×3, read in chunks; index: its table, which leaves out unusable images.
    overlap: the share of a patch's area that both patches show; correlation: Pearson's, over that area. Both
    are 1 for the kinds identical and turned.
    """
    rows = read_table(index, ["row"]).row.to_numpy()
    with scratch_beside(duplicates) as scratch:
        pairs = find_duplicates(array, rows, workers, scratch)
    ids = find_images(index, "row", pd.concat([pairs.row_a, pairs.row_b])).set_index("row").id
    for side in ("a", "b"):
        pairs[f"id_{side}"] = pairs[f"row_{side}"].map(ids)
    write_table(pairs[["kind", "id_a", "id_b", "correlation", "overlap"]].round(4), duplicates)
    counts = pairs.kind.value_counts()
    found = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    logging.info("pairs of duplicates among %d images: %s", len(rows), found or "none")


def find_duplicates(array: str, rows: np.ndarray, workers: int, scratch: Path) -> pd.DataFrame:
    """The pairs among the given rows of a pack: `kind,row_a,row_b,correlation,overlap` with row_a < row_b.

    scratch: a folder for what is found in each patch.
    """
    rows = np.sort(rows)
    with worker_pool(workers) as pool:
        with open(scratch / "landmarks", "wb") as file:
            digests = describe(pool, array, rows, file)
        pairs = candidates(map_landmarks(file.name))
        logging.info("%d candidate pairs of the same tissue", len(pairs))
        near = verify_candidates(pool, pairs, array, array).assign(kind="near")
    same = same_pixels(rows, digests)
    ends = (digests[np.searchsorted(rows, near[row].astype(int)), 1] for row in ("row_a", "row_b"))
    return pd.concat([same, near[np.not_equal(*ends)]], ignore_index=True)[PAIRS]


def same_pixels(rows: np.ndarray, digests: np.ndarray) -> pd.DataFrame:
    """The pairs of kinds `identical` and `turned` among rows, given the `digest_pair` of each row (N×2)."""
    _, image, copies = np.unique(digests[:, 1], return_inverse=True, return_counts=True)
    several = copies[image] > 1
    columns = {"row": rows[several], "digest": digests[several, 0], "canonical": image[several]}
    table = pd.DataFrame(columns)
    pairs = []
    for _, group in table.groupby("canonical", sort=False):
        members = list(zip(group.row, group.digest, strict=True))
        if len(members) <= MAX_ALL_PAIRS:
            compared = itertools.combinations(members, 2)
        else:
            oriented = [list(zip(own.row, own.digest, strict=True)) for _, own in group.groupby("digest")]
            firsts = sorted(own[0] for own in oriented)
            compared = itertools.chain.from_iterable(
                itertools.product(own[:1], own[1:]) for own in [*oriented, firsts]
            )
        for (a, digest_a), (b, digest_b) in compared:
            pairs.append(("identical" if digest_a == digest_b else "turned", a, b, 1.0, 1.0))
    return pd.DataFrame(pairs, columns=PAIRS)


def digest_pair(pixels: np.ndarray) -> tuple[bytes, bytes]:
    """Digest of an image (H×H×3), and one shared by all eight orientations: the smallest of theirs."""
    orientations = symmetries(pixels.transpose(2, 0, 1))
    size = DIGEST.itemsize
    digests = [hashlib.blake2b(np.ascontiguousarray(o), digest_size=size).digest() for o in orientations]
    return digests[0], min(digests)


def describe(pool, array: str, rows: np.ndarray, landmarks: BinaryIO, first_row: int = 0) -> np.ndarray:
    """The `digest_pair` (N×2 DIGEST) of rows of a pack, by the workers of `pool`.

    landmarks: the file to which all landmarks of the rows are added, for `map_landmarks`; first_row: what the
    first row of the pack is numbered there.
    """
    digests = []
    described = map_chunks(pool, functools.partial(_describe, array), rows, _chunk(array), "describing")
    for of_chunk, found in described:
        digests.append(of_chunk)
        found["row"] += first_row
        landmarks.write(found.tobytes())
    return np.concatenate([np.empty((0, 2), DIGEST), *digests])


def verify_candidates(pool, pairs: pd.DataFrame, array_a: str, array_b: str) -> pd.DataFrame:
    """Those of the candidates that show the same tissue (`overlaps.verify`), by the workers of `pool`.

    array_a and array_b: the packs that `row_a` and `row_b` number the rows of.
    """
    verify_chunk = functools.partial(_verify, array_a, array_b)
    verified = map_chunks(pool, verify_chunk, pairs, _chunk(array_a), "comparing")
    return pd.concat([pd.DataFrame(columns=PAIRS[1:]), *verified])


def _chunk(array: str) -> int:
    return chunk_size(CHUNK, Pixels(array)[:1].nbytes)


def _describe(array: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = Pixels(array)[rows]
    digests = np.array([digest_pair(image) for image in pixels], DIGEST)
    return digests, find_landmarks(band_pass(pixels), rows)


def _verify(array_a: str, array_b: str, pairs: pd.DataFrame) -> pd.DataFrame:
    return verify(pairs, *(Pixels(array) for array in (array_a, array_b)))
