"""A training that fails: it ends the workflow, or the others go on without it."""

import pandas as pd
import pytest
import safetensors.torch
import torch
import torchvision
from edits import configure
from plan import RUN_COMMAND, folders, plan, run, snakemake

WEIGHTS = "data/huge.safetensors"
LINE = "training diverged in epoch 1 at step 1 of 9: the loss is not finite (lr 5e-05, fp32); lower lr"
OTHERS = ("{workers: 1}", "{workers: 1, on_failure: compare_others}")


@pytest.fixture
def diverging(project):
    """A project with weights that are finite, but from which every training diverges."""
    state = torchvision.models.resnet18().state_dict()
    huge = {name: torch.full_like(value, 1e30) for name, value in state.items() if value.is_floating_point()}
    safetensors.torch.save_file(huge, project / WEIGHTS)
    return project


def table(project, name: str) -> pd.DataFrame:
    return pd.read_csv(project / f"results/small/tables/{name}.csv")


def test_a_run_that_fails_stops_the_workflow_or_is_compared_by_none(diverging):
    broken = f"      rate:\n        runs: {{broken: {{weights: {WEIGHTS}, lr: 5.0e-5}}}}\n"
    configure(diverging, ("      rate:\n", broken))
    (folder,) = folders(diverging, "rate/broken")
    before = table(diverging, "rate")

    status, output = snakemake(diverging, *RUN_COMMAND)
    assert status == 1
    (line,) = [line for line in output.splitlines() if "diverged" in line]
    assert line == f"  {LINE}"
    assert "Traceback" not in output
    assert table(diverging, "rate").equals(before)
    assert plan(diverging).trainings == {folder}  # of the others, all is there

    configure(diverging, OTHERS)
    done = run(diverging)
    assert done.trainings == {folder}
    rate = table(diverging, "rate")
    assert rate.failed.fillna("").tolist() == ["", "", LINE]
    pd.testing.assert_frame_equal(rate[:2].drop(columns="failed"), before, check_dtype=False)
    assert f"Failed, and not compared: `broken` ({LINE})." in summary(diverging)
    assert plan(diverging).rules == set()

    configure(diverging, OTHERS[::-1])
    assert plan(diverging).rules == set()


def summary(project) -> str:
    return (project / "results/small/tables/summary.md").read_text()


def test_a_final_training_that_fails_is_one_line_whatever_the_others_do(diverging):
    configure(diverging, OTHERS, ("overrides: {epochs: 4}", f"overrides: {{weights: {WEIGHTS}, lr: 5.0e-5}}"))
    status, output = snakemake(diverging, *RUN_COMMAND, "results/small/final/metrics.json")
    assert status == 1
    (line,) = [line for line in output.splitlines() if "the final training failed" in line]
    assert line.startswith(f"  the final training failed: {LINE}; change final.overrides, or delete results/")
