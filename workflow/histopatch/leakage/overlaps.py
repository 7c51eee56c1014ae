"""Overlaps: pairs of patches that show the same tissue, shifted, mirrored, rotated or in other colours.

Comparing 220,025 patches with each other would take 24 billion comparisons. Therefore only patches that
share a landmark are candidates: the codes are sorted several times, each time starting at another bit, and
each is compared with its next neighbours only (sorted neighbourhoods; Charikar, "Similarity estimation
techniques from rounding algorithms", 2002). A shared landmark also gives the shift, so a candidate is
verified by one normalised correlation per orientation, over all pixels that the two patches would share.
Landmarks may lie on disk: a patch has some twenty, and so many millions need not fit in memory.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from histopatch.leakage.landmarks import band_pass
from histopatch.leakage.symmetries import symmetries, turn_point

TABLES = 8  # sorted orders; each starts at another bit of the codes
SORTED = 2**23  # codes that are sorted in memory at a time, which takes half a gigabyte
SAMPLE = 2**16  # codes, or some more, that tell where the blocks of such a size end
NEIGHBOURS = 8  # following codes that a code is compared with in each order
DISTANCE = 6  # bits in which codes of the same landmark may differ; unrelated codes differ in 32 on average
# From this correlation on, two patches show the same tissue. Copies with other brightness and noise have 0.96
# or more, overlapping crops of one real slide 0.9998; different tissue has less than 0.7, or up to 0.95 if
# a nucleus on glass is all that both patches show.
MIN_CORRELATION = 0.95
MARGIN = 8  # pixels along the edges of the overlap that are not compared
MIN_OVERLAP = 0.4  # share of a patch that both must show; a shift by (32, 32) of 96 pixels leaves 0.44


def candidates(landmarks: np.ndarray) -> pd.DataFrame:
    """Pairs of patches that share a landmark, from records of LANDMARK, which may be mapped from a file.

    One row per pair: `row_a < row_b`, and the position in each, `y_a, x_a, y_b, x_b`, of the shared landmark
    whose two codes are most alike.
    """
    found = [pair for bit in range(0, 64, 64 // TABLES) for pair in _neighbours(landmarks, bit)]
    a, b, distance = np.concatenate(found, axis=1)
    a, b = np.where(landmarks["row"][a] < landmarks["row"][b], (a, b), (b, a))
    table = {
        f"{key}_{side}": landmarks[key][i] for side, i in (("a", a), ("b", b)) for key in ("row", "y", "x")
    }
    table = (
        pd.DataFrame(table).assign(distance=distance).sort_values([*("row_a", "row_b", "distance"), *table])
    )
    return table.drop_duplicates(["row_a", "row_b"]).drop(columns="distance").reset_index(drop=True)


def _neighbours(landmarks: np.ndarray, first_bit: int) -> Iterator[np.ndarray]:
    """The landmarks of two patches whose codes are neighbours in one order, and alike: 3×n, the places of
    both and in how many bits they differ."""
    last = np.empty(0, np.int64)
    for order in _sorted(landmarks["code"], first_bit):
        order = np.concatenate([last, order])  # neighbours may be on two sides of a block's end
        codes, rows = landmarks["code"][order], landmarks["row"][order]
        for step in range(1, NEIGHBOURS + 1):
            distance = np.bitwise_count(codes[:-step] ^ codes[step:])
            alike = (distance <= DISTANCE) & (rows[:-step] != rows[step:])
            yield np.stack([order[:-step][alike], order[step:][alike], distance[alike]])
        last = order[-NEIGHBOURS:]


def _sorted(codes: np.ndarray, first_bit: int) -> Iterator[np.ndarray]:
    """The places of codes in the order of their values from one bit on, about SORTED of them at a time."""
    blocks = -(-len(codes) // SORTED) or 1
    sample = np.sort(_rotated(codes[:: max(1, len(codes) // SAMPLE)], first_bit))
    ends = sample[np.arange(1, blocks) * len(sample) // blocks].tolist()
    for above, up_to in itertools.pairwise([-1, *ends, 2**64 - 1]):
        places = [np.empty(0, np.int64)]
        for start in range(0, len(codes), SORTED):
            values = _rotated(codes[start : start + SORTED], first_bit)
            places.append(start + np.flatnonzero((values > above) & (values <= up_to)))
        places = np.concatenate(places)
        yield places[np.argsort(_rotated(codes[places], first_bit), kind="stable")]


def _rotated(codes: np.ndarray, first_bit: int) -> np.ndarray:
    return codes << np.uint64(first_bit) | codes >> np.uint64((64 - first_bit) % 64)


def verify(pairs: pd.DataFrame, pack_a: np.ndarray, pack_b: np.ndarray) -> pd.DataFrame:
    """The candidates that do show the same tissue, with their `correlation` and `overlap`.

    pairs: from `candidates`; pack_a and pack_b: uint8 N×H×H×3, whose rows are `row_a` and `row_b`;
    overlap: the share of a patch's area that both show.
    """
    bands, places = [], []
    for pack, rows in ((pack_a, pairs.row_a), (pack_b, pairs.row_b)):
        unique, place = np.unique(rows.to_numpy(), return_inverse=True)
        bands.append(band_pass(pack[unique]))
        places.append(place)
    points = pairs[["y_a", "x_a", "y_b", "x_b"]].to_numpy()
    compared = [compare(bands[0][a], bands[1][b], point) for a, b, point in zip(*places, points, strict=True)]
    compared = pd.DataFrame(compared, columns=["correlation", "overlap"], index=pairs.index)
    pairs = pairs[["row_a", "row_b"]].join(compared)
    return pairs[pairs.correlation >= MIN_CORRELATION]


def compare(a: np.ndarray, b: np.ndarray, point) -> tuple[float, float]:
    """Best correlation of two bands (H×H) aligned at a landmark, and the share of a patch that overlaps.

    point: y and x of the landmark in a, then in b. All eight orientations of b are tried.
    """
    side, (y_a, x_a, y_b, x_b) = len(a), point
    best = (-1.0, 0.0)
    for orientation, turned in enumerate(symmetries(b)):
        y, x = turn_point(y_b, x_b, side, orientation)
        dy, dx = y_a - y, x_a - x
        overlap = (side - abs(dy)) * (side - abs(dx)) / side**2
        if overlap >= MIN_OVERLAP:
            (rows_a, rows_b), (columns_a, columns_b) = _common(dy, side), _common(dx, side)
            best = max(best, (_correlation(a[rows_a, columns_a], turned[rows_b, columns_b]), overlap))
    return best


def _common(shift: int, side: int) -> tuple[slice, slice]:
    """The overlap of two patches along one axis, as a slice of each, if the second starts at `shift`.

    Without the margins, where the band depends on pixels that only one of the patches has.
    """
    length = side - abs(shift) - 2 * MARGIN
    starts = max(shift, 0) + MARGIN, max(-shift, 0) + MARGIN
    return tuple(slice(start, start + length) for start in starts)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two images; 0 if one of them has no contrast."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    return float(np.vdot(a, b) / norm) if norm > 0 else 0.0
