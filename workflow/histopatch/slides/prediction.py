"""The probabilities of the tiles of a slide, read a block at a time while the block before is predicted."""

from collections.abc import Iterator

import numpy as np

from histopatch.ahead import read_ahead
from histopatch.console import progress
from histopatch.inference import Model
from histopatch.slides.tiling import blocks
from histopatch.slides.view import View

BLOCK = 1024  # pixels of a level, the width and height that is read at a time
PIECE_BYTES = 2**20  # of pixels predicted at a time: 37 tiles of 96×96 px; more take memory and save no time


def predict_tiles(model: Model, view: View, corners: np.ndarray, tile: int) -> np.ndarray:
    """The probability of label 1 of N tiles of a view (float64 N), with a progress bar.

    corners: int N×2, x and y of each in pixels of the view; tile: their width and height.
    """
    probabilities = np.empty(len(corners))
    most = max(1, PIECE_BYTES // (3 * tile**2))
    with progress(total=len(corners), desc="tiles", unit=" tiles") as bar:
        for group, region, origin in _regions(view, corners, tile):
            for start in range(0, len(group), most):
                piece = group[start : start + most]
                cut = [region[y : y + tile, x : x + tile] for x, y in corners[piece] - origin]
                probabilities[piece] = model.predict(np.stack(cut))
                bar.update(len(piece))
    return probabilities


def _regions(
    view: View, corners: np.ndarray, tile: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Indices of tiles, the region that has them all (uint8 h×w×3), and its corner x, y."""

    def read(group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        origin, end = corners[group].min(axis=0), corners[group].max(axis=0) + tile
        return group, view.read(*map(int, origin), *map(int, end - origin)), origin

    return read_ahead(read, blocks(corners, max(tile, int(BLOCK / view.factor))))
