"""How much of a patch, and of what decides about it, is its centre."""

import numpy as np

from histopatch.data.centre import centre


def area_share(size: int) -> float:
    """The share of the area of a patch of size×size pixels that is its centre."""
    middle = centre(size)
    return ((middle.stop - middle.start) / size) ** 2


def centre_shares(maps: np.ndarray, size: int) -> np.ndarray:
    """The share of each map's sum that falls in the centre (N); NaN where that is not known.

    maps: N×h×w, not negative, over patches of size×size pixels. Each cell counts evenly for the part of the
    patch that it covers. So an even map has the share of the area, and so has, on average, a map whose sum is
    all in one cell that is drawn at random. Not known is the share where the sum is 0, and where cells are
    so few, 1 or 2 along an axis, that each covers as much of the centre as any other.
    """
    if min(maps.shape[1:]) < 3:
        return np.full(len(maps), np.nan)
    rows, columns = (_covered(cells, size) for cells in maps.shape[1:])
    inside, total = np.einsum("nij,i,j->n", maps, rows, columns), maps.sum(axis=(1, 2))
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=total > 0)


def _covered(cells: int, size: int) -> np.ndarray:
    """How much of each of `cells` equal parts of an axis lies in the centre, from 0 to 1."""
    middle, edges = centre(size), np.linspace(0, size, cells + 1)
    return np.diff(np.clip(edges, middle.start, middle.stop)) / np.diff(edges)
