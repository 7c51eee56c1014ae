"""Landmarks: points of a patch that are found again in every crop of the same tissue, each with a code.

A landmark is a dark or bright spot that is the strongest in its neighbourhood. It depends on that
neighbourhood alone, never on where a crop ends, so two overlapping crops share the landmarks of their
overlap. Its code describes the neighbourhood in 64 bits: a flip or a rotation by 90° changes none of them,
and a change of brightness or contrast only a few.
"""

from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from histopatch.leakage.symmetries import symmetries

FINE, COARSE = 5, 11  # widths in pixels of the running means whose difference is the band
SPACING = 8  # a landmark is the strongest spot within this many pixels in every direction
REACH, STEP = 16, 4  # the neighbourhood: 9×9 samples that reach REACH pixels out, STEP pixels apart
MIN_CONTRAST = 2.0  # grey levels; weaker spots are noise on glass
LANDMARK = np.dtype([("row", "i4"), ("y", "i2"), ("x", "i2"), ("code", "u8")])


def band_pass(pixels: np.ndarray) -> np.ndarray:
    """Band-pass filter patches (uint8 n×H×W×3): float32 n×H×W, in grey levels.

    Keeps structures a few pixels wide. Sensor noise and compression artefacts are finer; the outline of
    tissue against glass, which looks alike in many unrelated patches, is coarser.
    """
    grey = pixels.sum(axis=-1, dtype=np.uint16).astype(np.float32) / 3
    return _smooth(grey, FINE) - _smooth(grey, COARSE)


def find_landmarks(bands: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Landmarks in the output of `band_pass` (n×H×W): records of LANDMARK.

    rows: the row of the pack of each of the n patches. Patches below 33 pixels have no landmarks.
    """
    inside = (slice(None), slice(REACH, -REACH), slice(REACH, -REACH))
    found = []
    for spots in (bands, -bands):
        strongest = spots
        for axis in (1, 2):
            strongest = maximum_filter1d(strongest, 2 * SPACING + 1, axis=axis)
        peaks = (spots == strongest) & (spots > MIN_CONTRAST)
        row, y, x = np.nonzero(peaks[inside])
        landmarks = np.empty(len(row), LANDMARK)
        landmarks["row"], landmarks["y"], landmarks["x"] = rows[row], y + REACH, x + REACH
        landmarks["code"] = _codes(bands, row, y + REACH, x + REACH)
        found.append(landmarks)
    return np.concatenate(found)


def map_landmarks(path: str | Path) -> np.ndarray:
    """Records of LANDMARK from the file that holds nothing else, read where they are looked at."""
    if not Path(path).stat().st_size:  # which cannot be mapped
        return np.empty(0, LANDMARK)
    return np.memmap(path, LANDMARK, "r")


def _smooth(images: np.ndarray, width: int) -> np.ndarray:
    """Two running means along each axis: close to a Gaussian, and equally fast for any width."""
    for axis in (1, 2, 1, 2):
        images = uniform_filter1d(images, width, axis=axis)
    return images


def _templates(bits: int = 64) -> np.ndarray:
    """Random templates in their eight orientations: a matrix of samples × (8 orientations × 2 × bits).

    They are zero in the middle, where all landmarks look alike.
    """
    side = 2 * REACH // STEP + 1
    templates = np.random.default_rng(0).standard_normal((2 * bits, side, side)).astype(np.float32)
    templates[:, side // 2 - 1 : side // 2 + 2, side // 2 - 1 : side // 2 + 2] = 0
    return np.concatenate([turned.reshape(2 * bits, -1) for turned in symmetries(templates)]).T


TEMPLATES = _templates()


def _codes(bands: np.ndarray, row: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The code of the neighbourhood of each point, uint64.

    A bit says which of two templates fits better, each in its best-fitting orientation.
    """
    steps = np.arange(-REACH, REACH + 1, STEP)
    samples = bands[row[:, None, None], y[:, None, None] + steps[:, None], x[:, None, None] + steps]
    fits = samples.reshape(len(row), len(steps) ** 2) @ TEMPLATES
    fits = fits.reshape(len(row), 8, TEMPLATES.shape[1] // 8).max(axis=1)  # over the eight orientations
    return np.packbits(fits[:, ::2] > fits[:, 1::2], axis=1).view(np.uint64).ravel()
