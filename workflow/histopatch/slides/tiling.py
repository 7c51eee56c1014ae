"""Where the tiles of an image are, which of them show tissue, and which are read together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from histopatch.errors import InputError
from histopatch.statistics.operating_points import BALANCED


@dataclass(frozen=True)
class Tiling:
    """How slides are tiled and scored; lengths in pixels of a patch of the model."""

    stride: int | None = None  # from tile to tile; None is the size of a patch, so that tiles do not overlap
    tissue: float = 0.05  # the share of a tile that has to be tissue for it to be predicted
    top: int = 10  # tiles whose mean probability is the score `mean_top_k`
    point: str = BALANCED  # the operating point whose threshold calls a tile positive
    microns_per_pixel: float | None = None  # of the slide, whatever its file says; None is what it says
    trained_microns_per_pixel: float | None = None  # as asked for, else as model.json says


def grid(size: tuple[int, int], tile: int, stride: int) -> np.ndarray:
    """The corners x, y (int N×2) of the tiles of an image, row by row; all in pixels.

    size: width and height of the image; tile: of a tile. The last tile of a row or column ends where the
    image does, so that nothing is left out, and overlaps the one before. Raises InputError for an image
    smaller than a tile.
    """
    if min(size) < tile:
        raise InputError(
            f"{size[0]}×{size[1]} px at the resolution of the model, less than one patch of {tile} px"
        )
    across, down = (_starts(length, tile, stride) for length in size)
    return np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)


def _starts(length: int, tile: int, stride: int) -> np.ndarray:
    return np.unique([*range(0, length - tile, stride), length - tile])


def shares(mask: np.ndarray, corners: np.ndarray, tile: int, size: tuple[int, int]) -> np.ndarray:
    """The share of each of N tiles that a mask (bool h×w) of the whole image covers: float N.

    corners, tile: as of `grid`; size: width and height of the image that they are in.
    """
    height, width = mask.shape
    total = np.zeros((height + 1, width + 1), np.int32)
    mask.cumsum(0, np.int32).cumsum(1, np.int32, out=total[1:, 1:])
    ratio = np.array([width, height]) / size
    low = np.minimum(np.floor(corners * ratio).astype(int), [width - 1, height - 1])
    high = np.maximum(np.minimum(np.ceil((corners + tile) * ratio).astype(int), [width, height]), low + 1)
    (left, top), (right, bottom) = low.T, high.T
    covered = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return covered / ((right - left) * (bottom - top))


def blocks(corners: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """The tiles, as indices of `corners`, in groups that begin in the same square of `side` pixels."""
    across, down = (corners // side).T
    order = np.lexsort((across, down))
    changes = np.flatnonzero(np.diff(across[order]) | np.diff(down[order])) + 1
    yield from (group for group in np.split(order, changes) if len(group))
