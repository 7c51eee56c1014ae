"""Slides through an exported model: a job for each, what does not run again, and what is asked for."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from conftest import PROJECT, ROOT
from exported import make_model

RESULTS = "results/predictions/slides"


def write(project: Path, pixels: np.ndarray, name: str) -> None:
    """A slide of patches beside each other, at 0.5 µm per pixel."""
    dots = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(project / name, np.hstack(pixels), photometric="rgb", tile=(128, 128), **dots)


def predict(project: Path, **config: str) -> tuple[int, str]:
    asked = {"model": "model", "input": "slides.csv", "stride": "40"} | config
    done = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--snakefile", "workflow/predict/Snakefile", "--cores", "1",
            "--config", *(f"{name}={value}" for name, value in asked.items()),
        ],
        cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def jobs(output: str) -> list[str]:
    return sorted(line.partition("] ")[2] for line in output.splitlines() if line.startswith("["))


@pytest.fixture
def project(tmp_path) -> Path:
    """The project with a model that does not say its resolution, two slides and one that is damaged."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (12, 40, 40, 3), np.uint8) + np.array([90, 40, 100], np.uint8)
    pixels += np.linspace(0, 80, 12, dtype=np.uint8)[:, None, None, None]
    make_model(tmp_path / "model", pixels)
    write(tmp_path, pixels[:6], "a 1.tif")
    write(tmp_path, pixels[6:], "b.tif")
    (tmp_path / "bad.svs").write_bytes(b"damaged")
    (tmp_path / "slides.csv").write_text("path,label\na 1.tif,0\nb.tif,1\nbad.svs,1\n")
    return tmp_path


def test_slides(project):
    status, output = predict(project)
    assert status == 1 and "MODEL_MPP is missing" in output and "Traceback" not in output

    status, output = predict(project, model_mpp="0.5")
    assert status == 0, output
    one = "predicting the slide `{}`, {} of 3"
    wanted = [one.format(name, number) for number, name in enumerate(("a_1", "b", "bad"), 1)]
    assert jobs(output) == sorted([*wanted, "scoring the slides"])
    table = pd.read_csv(project / RESULTS / "slides.csv").set_index("slide")
    assert table.tiles.to_dict() == {"a_1": 6, "b": 6, "bad": 0}
    assert "neither a slide" in table.reason["bad"] and "bad.svs" in output
    tiles = pd.read_csv(project / RESULTS / "slides/a_1/tiles.csv")
    assert table["max"]["a_1"] == pytest.approx(tiles.probability.max())
    for name in table.index:
        files = {path.name for path in (project / RESULTS / "slides" / name).iterdir()}
        assert files == {"tiles.csv", "tiles.geojson", "heat_map.png", "slide.json"}

    assert jobs(predict(project, model_mpp="0.5")[1]) == []
    (project / "bad.svs").unlink()
    (project / "b.tif").rename(project / "bad.svs")
    (project / "slides.csv").write_text("path,label\na 1.tif,0\nbad.svs,1\n")
    status, output = predict(project, model_mpp="0.5")
    assert status == 0, output
    assert jobs(output) == ["predicting the slide `bad`, 2 of 2", "scoring the slides"]
