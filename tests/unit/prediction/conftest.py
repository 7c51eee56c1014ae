from pathlib import Path

import h5py
import numpy as np
import pytest
from exported import make_model
from PIL import Image

from histopatch.prediction.request import read_request

SIZE = 40


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Twelve patches of pink and purple noise, each with a brightness of its own."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (12, SIZE, SIZE, 3), np.uint8) + np.array([90, 40, 100], np.uint8)
    noise[:, : SIZE // 2] += np.linspace(0, 80, 12, dtype=np.uint8)[:, None, None, None]
    return noise


@pytest.fixture(scope="session")
def model(pixels, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    make_model(folder, pixels)
    return folder


@pytest.fixture
def images(pixels, tmp_path) -> Path:
    """A folder with the patches as `a/00.png` and so on."""
    folder = tmp_path / "images"
    (folder / "a").mkdir(parents=True)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"a/{number:02d}.png")
    return folder


@pytest.fixture
def array(tmp_path):
    """Write patches to an HDF5 file, and return its path."""

    def write(pixels: np.ndarray, name: str = "x") -> Path:
        path = tmp_path / "test.h5"
        with h5py.File(path, "w") as file:
            file[name] = pixels
        return path

    return write


@pytest.fixture
def ask(model, tmp_path):
    """Ask for the prediction of an input."""

    def ask(path, **config):
        return read_request({"model": model, "input": path, "out": str(tmp_path / "out")} | config)

    return ask
