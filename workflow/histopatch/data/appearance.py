"""Appearance: how a patch was stained and scanned, a proxy for the slide where slides are not known.

Four features that describe the acquisition rather than the tissue: two of the hue of the dark tissue
(haematoxylin), one of the hue of the pale tissue (eosin), and the sharpness. A hue is a channel's share of
the optical density, so it depends little on the amount of stain. Clusters of patches that look alike are
not slides: one slide may fall into two clusters, and two slides of one laboratory into the same one.

On synthetic patches of 24 slides, 24 clusters have an adjusted mutual information of 0.75 with the slides
and 0.04 with the labels; with the concentrations of the two stains instead of the hues it was 0.45.
"""

import functools

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter

from histopatch.data.chunks import chunk_size, map_chunks
from histopatch.data.clusters import FEATURES
from histopatch.data.pixels import Pixels
from histopatch.data.pool import worker_pool
from histopatch.files import beside, read_blocks, read_table, write_blocks

CHUNK = 128  # patches per task at most
DENSITY = -np.log((np.arange(256, dtype=np.float32) + 1) / 256)  # natural optical density by pixel value
TISSUE_DENSITY = 0.3  # a pixel is tissue from this optical density on, summed over the three channels
MIN_TISSUE = 0.05  # the share of a patch that must be tissue for its hues to be measured
DARK, PALE = 0.25, 0.5  # the darkest and the palest share of the tissue pixels


def appearance_files(array: str, index: str, table: str, workers: int) -> None:
    """Measure every image of a pack and write CSV `id` and FEATURES.

    array: the pack, uint8 N×H×W×3, read in chunks; index: its table.
    """
    rows = read_table(index, ["row"]).row.to_numpy()
    features = measure_pack(array, rows, workers).round(5)
    write_blocks(beside(read_blocks(index, ["id"]), features), table)


def measure_pack(array: str, rows: np.ndarray, workers: int) -> pd.DataFrame:
    """FEATURES of the given rows of a pack, in their order."""
    size = chunk_size(CHUNK, Pixels(array)[:1].nbytes)
    with worker_pool(workers) as pool:
        measured = [*map_chunks(pool, functools.partial(_measure_rows, array), rows, size, "measuring")]
    return pd.DataFrame(np.concatenate(measured), columns=FEATURES)


def measure(pixels: np.ndarray) -> np.ndarray:
    """FEATURES of patches (uint8 n×H×W×3): float32 n×4. Hues are NaN where there is too little tissue."""
    grey = pixels.mean(axis=-1, dtype=np.float32)
    fine, coarse = (uniform_filter(grey, (0, width, width)) for width in (3, 9))
    # Detail up to 3 pixels relative to detail up to 9, which says how much there is that could be sharp.
    sharpness = np.log(((grey - fine).std((1, 2)) + 0.5) / ((fine - coarse).std((1, 2)) + 0.5))
    dark, pale = _hues(pixels[:, ::2, ::2])
    return np.column_stack([dark[:, 0], dark[:, 2], pale[:, 2], sharpness])


def _measure_rows(array: str, rows: np.ndarray) -> np.ndarray:
    return measure(Pixels(array)[rows])


def _hues(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hue of the dark and of the pale tissue: each channel's share of the optical density, n×3 each."""
    density = DENSITY[pixels].reshape(len(pixels), -1, 3)
    total = density.sum(axis=-1)
    tissue = total >= TISSUE_DENSITY
    count = tissue.sum(axis=1)
    descending = -np.sort(-total, axis=1)
    dark = total >= _at_rank(descending, DARK * count)
    pale = tissue & (total <= _at_rank(descending, (1 - PALE) * count))
    enough = count >= MIN_TISSUE * total.shape[1]
    return tuple(np.where(enough[:, None], _channel_shares(density, mask), np.nan) for mask in (dark, pale))


def _at_rank(ordered: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """One value of each row of an ordered array (n×pixels): n×1."""
    return np.take_along_axis(ordered, rank.astype(int)[:, None], axis=1)


def _channel_shares(density: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Each channel's share of the optical density of the masked pixels, n×3."""
    sums = np.einsum("np,npc->nc", mask.astype(np.float32), density)
    return sums / sums.sum(axis=1, keepdims=True).clip(1e-6)
