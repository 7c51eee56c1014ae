"""Overlaps: pairs of patches that show the same tissue, shifted, mirrored, turned or in other colours.

Comparing all of 220,025 patches with each other would take 24 billion comparisons. So patches that share
a landmark are candidates: codes are sorted, each time beginning with other bits, and compared with their
next neighbours only (sorted neighbourhoods; Charikar, "Similarity estimation techniques from rounding
algorithms", 2002). A shared landmark also tells the shift, so a candidate is verified by one normalised
correlation for each orientation, over all pixels that the two patches would have in common.
"""

import numpy as np
import pandas as pd

from histopatch.leakage.landmarks import band_pass
from histopatch.leakage.symmetries import symmetries, turn_point

TABLES = 8  # sorted orders; each begins at another bit of the codes
NEIGHBOURS = 8  # how many places further on a code is compared with in each order
DISTANCE = 6  # bits in which the codes of the same landmark may differ; unrelated ones differ in 32
# From this correlation on two patches show the same tissue. Copies in other brightness, with noise, have
# 0.96 and more, overlapping crops of one real slide 0.9998; different tissue has less than 0.7, and up to
# 0.95 where a nucleus on glass is all that two patches show.
CORRELATION = 0.95
MARGIN = 8  # pixels along the edge of the overlap that are not compared
AREA = 0.4  # the share of a patch that must be common, as it is with shifts up to 32 of 96 pixels


def candidates(landmarks: np.ndarray) -> pd.DataFrame:
    """Pairs of patches that share a landmark, from records of LANDMARK.

    A row a pair: `row_a < row_b` and where the landmark lies in both, `y_a, x_a, y_b, x_b`, that of the
    codes most alike.
    """
    pairs, codes = [], landmarks["code"]
    for first_bit in range(0, 64, 64 // TABLES):
        begun_there = codes << np.uint64(first_bit) | codes >> np.uint64((64 - first_bit) % 64)
        order = np.argsort(begun_there, kind="stable").astype(np.int32)
        for step in range(1, NEIGHBOURS + 1):
            a, b = order[:-step], order[step:]
            distance = np.bitwise_count(codes[a] ^ codes[b])
            alike = (distance <= DISTANCE) & (landmarks["row"][a] != landmarks["row"][b])
            pairs.append(np.stack([a[alike], b[alike], distance[alike]]))
    a, b, distance = np.concatenate(pairs, axis=1)
    a, b = np.where(landmarks["row"][a] < landmarks["row"][b], (a, b), (b, a))
    table = {
        f"{key}_{side}": landmarks[key][i] for side, i in (("a", a), ("b", b)) for key in ("row", "y", "x")
    }
    table = (
        pd.DataFrame(table).assign(distance=distance).sort_values([*("row_a", "row_b", "distance"), *table])
    )
    return table.drop_duplicates(["row_a", "row_b"]).drop(columns="distance").reset_index(drop=True)


def verify(pairs: pd.DataFrame, pack: np.ndarray) -> pd.DataFrame:
    """The candidates that do show the same tissue, with their `correlation` and the `overlap`.

    pairs: as `candidates` gives them. pack: uint8 N×H×W×3. overlap: the share of a patch's area that is
    common to both.
    """
    rows, place = np.unique(pairs[["row_a", "row_b"]].to_numpy(), return_inverse=True)
    bands = band_pass(pack[rows])
    points = pairs[["y_a", "x_a", "y_b", "x_b"]].to_numpy()
    compared = [
        compare(bands[a], bands[b], point) for (a, b), point in zip(place.reshape(-1, 2), points, strict=True)
    ]
    compared = pd.DataFrame(compared, columns=["correlation", "overlap"], index=pairs.index)
    pairs = pairs[["row_a", "row_b"]].join(compared)
    return pairs[pairs.correlation >= CORRELATION]


def compare(a: np.ndarray, b: np.ndarray, point) -> tuple[float, float]:
    """Correlation and common share of two bands (H×H) laid over each other at a landmark.

    point: y and x of the landmark in a, then in b. All eight orientations of b are tried.
    """
    side, (y_a, x_a, y_b, x_b) = len(a), point
    best = (-1.0, 0.0)
    for orientation, turned in enumerate(symmetries(b)):
        y, x = turn_point(y_b, x_b, side, orientation)
        dy, dx = y_a - y, x_a - x
        overlap = (side - abs(dy)) * (side - abs(dx)) / side**2
        if overlap >= AREA:
            (rows_a, rows_b), (columns_a, columns_b) = _common(dy, side), _common(dx, side)
            best = max(best, (_correlation(a[rows_a, columns_a], turned[rows_b, columns_b]), overlap))
    return best


def _common(shift: int, side: int) -> tuple[slice, slice]:
    """What two patches have in common along one axis, in either, where the second begins at `shift`.

    Without the margins, where the band still depends on pixels that only one of them has.
    """
    length = side - abs(shift) - 2 * MARGIN
    starts = max(shift, 0) + MARGIN, max(-shift, 0) + MARGIN
    return tuple(slice(start, start + length) for start in starts)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of two images; 0 where one has no contrast."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    return float(np.vdot(a, b) / norm) if norm > 0 else 0.0
