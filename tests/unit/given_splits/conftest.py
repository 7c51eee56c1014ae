"""Real image files in which leaks of every kind are planted, for splits to divide."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

SIDES = {"train": range(6), "val": range(6, 9), "test": range(9, 12)}


@pytest.fixture(scope="session")
def leaky(patches) -> pd.DataFrame:
    """`name,side,label,slide,patient,pixels` of patches, of which the last three are copies of the first.

    c0 is the same as p00, with another label; c1 is p01 turned; c2 shows most of p02, shifted.
    """
    rows = [
        (f"p{i:02d}", side, f"{i % 2}", f"{side}-{i % 2}", f"patient-{side}", patches[i])
        for side, numbers in SIDES.items()
        for i in numbers
    ]
    crop = patches[20].copy()
    crop[:72, :72] = patches[2][24:, 24:]
    copies = [("c0", "test", "1", patches[0]), ("c1", "val", "1", np.rot90(patches[1]))]
    for name, side, label, pixels in [*copies, ("c2", "test", "0", crop)]:
        rows.append((name, side, label, f"{side}-0", f"patient-{side}", pixels))
    return pd.DataFrame(rows, columns=["name", "side", "label", "slide", "patient", "pixels"])


@pytest.fixture(scope="session")
def clean(leaky) -> pd.DataFrame:
    """`leaky` without the copies."""
    return leaky[:12]


@pytest.fixture
def images(tmp_path):
    """Write the patches of a table as PNG files; return their folder. paths: where each goes in it."""

    def write(table: pd.DataFrame, paths=None, root: str = "images") -> Path:
        paths = table.name + ".png" if paths is None else paths
        for path, pixels in zip(paths, table.pixels, strict=True):
            file = tmp_path / root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.ascontiguousarray(pixels)).save(file)
        return tmp_path / root

    return write


@pytest.fixture
def written(tmp_path):
    """Write a table as CSV and return its path."""

    def write(table: pd.DataFrame, name: str = "theirs.csv", **keys) -> Path:
        table.to_csv(tmp_path / name, **({"index": False} | keys))
        return tmp_path / name

    return write
