"""A run on two GPUs, for which two processes stand in on a machine without one."""

import json

import pandas as pd
import pytest
from edits import configure
from plan import folders, plan, snakemake
from sklearn.metrics import roc_auc_score

TWO = ("--cores", "2", "--resources", "gpu=2")
TARGET = "results/small/tables/named.csv"


@pytest.fixture
def asking(project):
    """A project with a run that asks for two GPUs beside others that ask for one."""
    runs = "plain: {}\n          shared: {gpus: 2, epochs: 2}\n          alone: {epochs: 1}"
    configure(project, ("plain: {}", runs))
    return project


def test_a_run_on_two_gpus_trains_beside_the_others(asking):
    (folder,) = folders(asking, "named/shared")
    planned = plan(asking, *TWO)
    trainings = {job.wildcards["run"]: job.fields for job in planned.jobs if job.rule == "train"}
    assert {*trainings} == folders(asking, "named/shared", "named/alone")  # the others are what they were
    for run, fields in trainings.items():
        gpus = 2 if run == folder else 1
        assert f"gpu={gpus}" in fields["resources"]
        assert int(fields.get("threads", 1)) == gpus

    status, output = snakemake(asking, *TWO, "--", TARGET)
    assert status == 0, output
    fold = asking / f"results/small/runs/{folder}/fold-0"
    assert {path.name for path in fold.iterdir()} == {
        "model.safetensors", "history.csv", "predictions.csv", "run.json",
    }  # fmt: skip
    report = json.loads((fold / "run.json").read_text())
    assert report["settings"]["gpus"] == 2
    assert report["micro_batch"] == 4  # of a batch of 8
    predictions, history = (pd.read_csv(fold / name) for name in ("predictions.csv", "history.csv"))
    # Each process predicted a half of them: they are the probabilities of these patches.
    measured = roc_auc_score(predictions.label, predictions.probability)
    assert measured == pytest.approx(history.val_auc.iloc[-1], abs=1e-6)
    table = pd.read_csv(asking / TARGET).set_index("run")
    assert table.loc["shared", "final_val_auc"] == pytest.approx(measured, abs=1e-6)


@pytest.mark.input("Configuration", "a run that asks for more GPUs than the call offers", "refused")
def test_more_gpus_than_the_call_offers_are_one_line(asking):
    status, output = snakemake(asking, "--cores", "2", "--resources", "gpu=1", "--dry-run")
    assert status == 1
    line = output.splitlines()[-1]
    assert line == (
        "Error: experiments.small.studies.named.shared.gpus: 2 are asked for, and the call offers 1; call "
        "snakemake with --resources gpu=2, or lower gpus"
    )
