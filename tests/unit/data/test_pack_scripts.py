"""The jobs of packing compare the images that they find with those that were planned."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.images import names_digest

WORKFLOW = Path(__file__).parents[3] / "workflow"
# What Snakemake puts before a script, in short.
SNAKEMAKE = """
from types import SimpleNamespace
snakemake = SimpleNamespace(
    log=["pack.log"],
    config={{"runtime": {{"log_level": "info", "workers": 1}}}},
    params=SimpleNamespace(
        dataset={{"format": "kaggle", "root": "data"}}, patch_size=16, images={images}, code="c0de",
        shard=(1, 2),
    ),
    wildcards=SimpleNamespace(part="train"),
    input=SimpleNamespace(shards=[]),
    output=SimpleNamespace(
        array="train.npy", index="index.parquet", rejected="rejected.csv", table="shard.parquet"
    ),
    threads=1,
)
"""


@pytest.fixture
def pack(tmp_path):
    """Run a script on four images, of which the first ones were planned."""
    (tmp_path / "data/train").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"data/train/{number}.png")

    def run(script: str, planned: int) -> subprocess.CompletedProcess:
        images = Kaggle(str(tmp_path / "data")).images("train")[:planned]
        text = SNAKEMAKE.format(images={"images": names_digest(images)})
        (tmp_path / "script.py").write_text(text + (WORKFLOW / "scripts" / script).read_text())
        return subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(WORKFLOW)},
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    return run


@pytest.mark.input(
    "Images", "images that come or go between the plan and the packing", "one line; nothing is packed"
)
@pytest.mark.parametrize(("script", "all_of_it"), [("pack.py", 4), ("pack_shard.py", 2)])
def test_images_that_were_not_planned_are_not_packed(pack, tmp_path, script, all_of_it):
    refused = pack(script, planned=1)
    assert refused.returncode != 0
    assert "images were added or removed since the work was planned" in refused.stderr
    assert not (tmp_path / "train.npy").exists()
    done = pack(script, planned=all_of_it)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "train.npy").exists()
