"""A small project that is run once for real; each test gets a copy of it to edit."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from PIL import Image
from plan import RUN_COMMAND, snakemake

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROJECT = ("Snakefile", "workflow", "profiles")
# These files are only ever replaced as a whole, never edited in place, so copies can share them.
SHARED = (".safetensors", ".onnx", ".npy", ".tif", ".png")
OTHER_PACK = [f"results/other/pack/{part}.npy" for part in ("train", "test")]


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The project with all results of its experiment `small` and the pack of `other`. Not to be changed."""
    # The processes that run the tests have a folder each, inside of one of this call.
    base = tmp_path_factory.getbasetemp()
    project = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with FileLock(f"{project}.lock"):
        if not project.exists():
            unfinished = tmp_path_factory.mktemp("unfinished")
            _run_all(unfinished)
            unfinished.rename(project)
    return project


def _run_all(project: Path) -> None:
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project / name)
    shutil.copy2(HERE / "config.yaml", project)
    write_data(project / "data/small")
    for arguments in ((), (*OTHER_PACK, "--config", "experiment=other")):
        status, output = snakemake(project, *RUN_COMMAND, *arguments)
        assert status == 0, output


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A copy of the finished project, to be edited."""
    return shutil.copytree(finished, tmp_path / "project", copy_function=_copy)


def _copy(source: str, target: str) -> None:
    if source.endswith(SHARED):
        os.link(source, target)
    else:
        shutil.copy2(source, target)  # with its time of writing


def write_data(root: Path) -> None:
    """Write a data set in Kaggle's layout whose positives are redder, which a few steps learn."""
    rng = np.random.default_rng(0)
    ids = {}
    for part, count in (("train", 120), ("test", 12)):
        (root / part).mkdir(parents=True)
        ids[part] = [f"{part}{number:03d}" for number in range(count)]
        for number, name in enumerate(ids[part]):
            pixels = rng.integers(0, 160, (96, 96, 3), dtype=np.uint8)
            pixels[..., 0] += 60 * (number % 2)
            Image.fromarray(pixels).save(root / part / f"{name}.tif")
    labels = pd.DataFrame({"id": ids["train"], "label": [f"{n % 2}" for n in range(120)]})
    # Blanks, which cleaning strips, make the file as large as one whose changes Snakemake takes from the
    # time of writing, unless told otherwise.
    labels.loc[0, "label"] += " " * 1_100_000
    labels.to_csv(root / "train_labels.csv", index=False)
    slides = pd.DataFrame({"id": ids["train"], "slide": [f"slide{n % 20 // 2}" for n in range(120)]})
    slides.to_csv(root / "slides.csv", index=False)
    sites = pd.DataFrame({"slide": [f"slide{n}" for n in range(10)], "site": [*"AABAB" * 2]})
    sites.to_csv(root / "groups.csv", index=False)
    sample = pd.DataFrame({"id": ids["test"][::-1], "label": 0})
    sample.to_csv(root / "sample_submission.csv", index=False)
