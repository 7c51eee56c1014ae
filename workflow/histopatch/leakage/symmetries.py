"""The eight symmetries of a square patch: rotations by multiples of 90°, with and without mirroring."""

import numpy as np


def symmetries(images: np.ndarray) -> list[np.ndarray]:
    """Views of images (...×H×H) in all eight orientations, the original first.

    Orientation k + 4m: mirrored left-right if m is 1, then rotated by k × 90° counter-clockwise.
    """
    mirrored = images[..., ::-1]
    return [np.rot90(image, k, axes=(-2, -1)) for image in (images, mirrored) for k in range(4)]


def turn_point(y, x, side: int, orientation: int):
    """Where the pixel (y, x) of a patch of side `side` ends up in an orientation of `symmetries`."""
    if orientation >= 4:
        x = side - 1 - x
    for _ in range(orientation % 4):
        y, x = side - 1 - x, y
    return y, x
