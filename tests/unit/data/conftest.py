"""Drawn patches for tests of what is measured on pixels."""

import numpy as np
import pytest

from pcam.data.tissue import draw_patch, draw_slide


@pytest.fixture(scope="session")
def patches() -> np.ndarray:
    """48 patches of 8 slides that show different tissue: uint8 48×96×96×3, row i of slide i % 8."""
    slides = [draw_slide(np.random.default_rng([3, k])) for k in range(8)]
    drawn = [draw_patch(np.random.default_rng([4, i]), slides[i % 8], i // 8 % 2) for i in range(48)]
    return np.stack(drawn)
