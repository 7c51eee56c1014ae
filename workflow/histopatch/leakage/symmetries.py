"""The eight symmetries of a square patch: four quarter turns, each as it is and mirrored."""

import numpy as np


def symmetries(images: np.ndarray) -> list[np.ndarray]:
    """Views of images (...×H×H) in all eight orientations, the given one first.

    Orientation k + 4m: mirrored left-right if m is 1, then turned k quarters counter-clockwise.
    """
    mirrored = images[..., ::-1]
    return [np.rot90(image, k, axes=(-2, -1)) for image in (images, mirrored) for k in range(4)]


def turn_point(y, x, side: int, orientation: int):
    """Where the pixel (y, x) of a patch of that side lies after it is put into an orientation."""
    if orientation >= 4:
        x = side - 1 - x
    for _ in range(orientation % 4):
        y, x = side - 1 - x, y
    return y, x
