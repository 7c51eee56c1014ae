"""Small data that the tests of several modules start from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from histopatch.data.tissue import draw_patch, draw_slide
from histopatch.database import database

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "pcam-sample"


@pytest.fixture(scope="session")
def sample() -> Path:
    """4,000 real patches in Kaggle's layout, where this machine has them."""
    if not (SAMPLE / "train_labels.csv").is_file():
        pytest.skip("the sample of real patches is not on this machine")
    return SAMPLE


@pytest.fixture
def csv(tmp_path):
    """Write a table given as text, a line a row, and return its path."""

    def write(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


@pytest.fixture
def tables():
    """An empty database."""
    with database() as empty:
        yield empty


@pytest.fixture
def kaggle_labels():
    """Labels as in Kaggle's file: ids of 40 hex digits in no order, 40 % positive."""

    def make(count: int) -> pd.DataFrame:
        ids = [f"{(i * 2654435761) % 2**32:08x}" * 5 for i in range(count)]
        return pd.DataFrame({"id": ids, "label": [int(i * 7919 % 1000 < 405) for i in range(count)]})

    return make


@pytest.fixture(scope="session")
def patches() -> np.ndarray:
    """48 patches of 8 slides that show different tissue: uint8 48×96×96×3, row i of slide i % 8."""
    slides = [draw_slide(np.random.default_rng([3, k])) for k in range(8)]
    drawn = [draw_patch(np.random.default_rng([4, i]), slides[i % 8], i // 8 % 2) for i in range(48)]
    return np.stack(drawn)
