"""Test images that cannot be used stop the workflow before any training, or get a stated probability."""

import shutil

import pandas as pd
import pytest
from edits import configure
from PIL import Image
from plan import RUN_COMMAND, last_log, read_jobs, run, snakemake

BAD = "test003"  # the image that is damaged; the sample submission names it


@pytest.fixture
def damaged(project):
    """The finished project with another file for one image: a change of content alone is not noticed."""
    (project / f"data/small/test/{BAD}.tif").unlink()
    Image.new("RGB", (95, 96)).save(project / f"data/small/test/{BAD}.png")
    return project


def test_they_stop_the_workflow_before_any_training(damaged):
    shutil.rmtree(damaged / "results/small/runs")
    status, output = snakemake(damaged, *RUN_COMMAND)
    assert status == 1
    line = f"1 of 12 test ids have no usable image, the first is '{BAD}' ({BAD}.png: shape 95×96, not 96×96)"
    assert f"data/small/sample_submission.csv: {line}" in output
    assert {job.rule for job in read_jobs(last_log(damaged))} == {"pack", "test_ids"}


def test_they_get_the_stated_probability(damaged):
    configure(damaged, ("overrides: {epochs: 4}", "overrides: {epochs: 4}, unusable_images: 0.25"))
    before = pd.read_csv(damaged / "results/small/submission.csv")
    assert run(damaged).rules == {"pack", "check_images", "test_ids", "predict_test", "submission", "summary"}
    assert (
        "1 of 12 test ids have no usable image" in (damaged / "results/small/tables/summary.md").read_text()
    )
    submission = pd.read_csv(damaged / "results/small/submission.csv")
    bad = submission.id == BAD
    assert submission.label[bad].tolist() == [0.25]
    assert [*submission.id] == [*before.id]
    # The network gets other patches at a time, which may change the last digits.
    assert submission.label[~bad].to_numpy() == pytest.approx(before.label[~bad].to_numpy(), abs=1e-5)
