"""A pack in shards: jobs of their own, and the same experiment."""

from pathlib import Path

import numpy as np
import pytest
from edits import configure
from PIL import Image
from plan import plan, run

from histopatch.data.pixels import Pixels, shard_files

PACK = "results/small/pack/train.npy"
# What is made of a pack without a training.
MADE = [
    "labels/clean.csv", "pack/train.appearance.csv", "pack/train.duplicates.csv", "splits/main.csv",
    "explore/rgb_histograms.csv", "figures/examples.png",
]  # fmt: skip


@pytest.fixture
def sharded(project) -> Path:
    configure(project, ("root: data/small,", "root: data/small, shards: 3,"))
    run(project, PACK)
    return project


def test_what_is_made_of_shards_is_what_is_made_of_one_array(project):
    pixels = np.load(project / PACK)
    before = {file: (project / "results/small" / file).read_bytes() for file in MADE}
    configure(project, ("root: data/small,", "root: data/small, shards: 3,"))
    training = min(project.glob("results/small/runs/*/fold-0/predictions.csv")).relative_to(project)
    predictions = (project / training).read_bytes()
    done = run(project, *[f"results/small/{file}" for file in MADE], str(training))
    assert done.count("pack_shard") == 3 and done.count("pack") == 1
    assert done.trainings == {training.parts[-3]}
    assert len(shard_files(project / PACK)) == 3
    np.testing.assert_array_equal(Pixels(project / PACK)[:], pixels)
    for file, content in before.items():
        assert (project / "results/small" / file).read_bytes() == content, file
    assert (project / training).read_bytes() == predictions


def test_a_shard_that_was_deleted_is_made_again_and_changes_nothing(sharded):
    clean = "results/small/labels/clean.csv"
    run(sharded, clean)
    shard = shard_files(sharded / PACK)[1]
    shard.unlink()
    assert run(sharded, PACK, str(shard.relative_to(sharded))).rules == {"pack_shard", "pack"}
    assert plan(sharded, PACK, clean).rules == set()  # the pack is the same, so what is made of it stays


def test_an_image_that_comes_last_packs_the_last_shard_alone(sharded):
    Image.new("RGB", (96, 96), "pink").save(sharded / "data/small/train/train999.tif")
    jobs = plan(sharded, PACK)
    assert {job.wildcards["shard"] for job in jobs.jobs if job.rule == "pack_shard"} == {"3-of-3"}
