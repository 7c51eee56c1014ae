"""A run on two GPUs, for which two processes stand in on a machine without one."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import PROJECT, ROOT
from plan import folders, plan, snakemake
from sklearn.metrics import roc_auc_score

TWO = ("--resources", "gpu=2", "--cores", "2")
CONFIG = """
experiment: small
experiments:
  small:
    dataset: {format: synthetic, synthetic: {train_patches: 100, test_patches: 10, slides: 8}}
    splits: {main: {group_by: slide, validation_fraction: 0.4}}
    defaults: {backbone: resnet18, weights: none, image_size: 32, batch_size: 8, precision: fp32}
    studies:
      named:
        runs:
          shared: {gpus: 2}
          alone: {}
          head:
            freeze_backbone: true
            feature_head: linear
            augmentation: {flips: false, rotation: 0}
    final: {study: named}
runtime: {workers: 2}
"""


@pytest.fixture
def asking(tmp_path):
    """A project with runs that ask for two GPUs, one and none, of which nothing is made yet."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def test_a_run_on_two_gpus_trains_beside_the_others(asking):
    folds = {name: fold_folder(asking, name) for name in ("shared", "alone")}
    targets = [f"{fold}/run.json" for fold in folds.values()]
    status, output = snakemake(asking, *TWO, *targets)
    assert status == 0, output
    reports = {name: json.loads((asking / fold / "run.json").read_text()) for name, fold in folds.items()}
    assert reports["shared"]["settings"]["gpus"] == 2
    # Patches at a time, of a batch of 8.
    assert (reports["shared"]["micro_batch"], reports["alone"]["micro_batch"]) == (4, 8)
    # Each process predicted a half of the patches: the probabilities are those of their labels.
    predictions = pd.read_csv(asking / folds["shared"] / "predictions.csv")
    history = pd.read_csv(asking / folds["shared"] / "history.csv")
    measured = roc_auc_score(predictions.label, predictions.probability)
    assert measured == pytest.approx(history.val_auc.iloc[-1], abs=1e-6)
    assert len(list((asking / folds["shared"]).iterdir())) == 4


def fold_folder(project, run):
    return f"results/small/runs/{folders(project, f'named/{run}').pop()}/fold-0"


def test_a_head_takes_a_core_and_leaves_the_gpus_to_the_others(asking):
    names = {fold_folder(asking, name): name for name in ("shared", "alone", "head")}
    planned = plan(asking, "--resources", "gpu=2", "--cores", "8", *(f"{fold}/run.json" for fold in names))
    trainings = [job for job in planned.jobs if job.rule == "train"]
    asked = {
        names[str(Path(min(job.outputs)).parent)]: (
            int(re.search(r"gpu=(\d+)", job.fields["resources"])[1]),
            int(job.fields.get("threads", 1)),
        )
        for job in trainings
    }
    assert asked == {"shared": (2, 8), "alone": (1, 4), "head": (0, 1)}


@pytest.mark.input("Configuration", "a run that asks for more GPUs than the call offers", "refused")
def test_more_gpus_than_the_call_offers_are_one_line(asking):
    status, output = snakemake(asking, "--cores", "2", "--resources", "gpu=1", "--dry-run")
    assert status == 1
    assert output.splitlines()[-1] == (
        "Error: experiments.small.studies.named.shared.gpus: 2 are asked for, and the call offers 1; call "
        "snakemake with --resources gpu=2, or lower gpus"
    )
