"""The worked examples of docs/extending.md, applied to a finished project and used."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from edits import configure
from plan import RUN_COMMAND, plan, run, snakemake

GUIDE = (Path(__file__).parents[2] / "docs/extending.md").read_text()


def examples() -> dict[str, tuple[str, str]]:
    """By title, for each section with a diff: the output of `git diff --stat`, and the diff."""
    found = {}
    for section in GUIDE.split("\n## ")[1:]:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)
        if blocks:
            (_, stat), (_, diff) = blocks
            found[section.partition("\n")[0]] = (stat, diff)
    return found


EXAMPLES = examples()


def git_apply(project: Path, title: str, *options: str) -> str:
    command = ["git", "apply", *options, "-"]
    done = subprocess.run(command, cwd=project, input=EXAMPLES[title][1], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def extended(project):
    """Apply an example to the project."""

    def apply(title: str) -> Path:
        git_apply(project, title)
        return project

    return apply


def test_every_kind_of_growth_has_an_example():
    assert list(EXAMPLES) == [
        "A backbone", "An augmentation", "A metric", "A figure", "A data-set format",
    ]  # fmt: skip


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_guide_says_which_files_an_example_touches(project, title):
    said = dict(re.findall(r"^(\S+) +\| +(\d+)", EXAMPLES[title][0], re.M))
    lines = [line.split("\t") for line in git_apply(project, title, "--numstat").splitlines()]
    assert said == {path: str(int(added) + int(deleted)) for added, deleted, path in lines}


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_retrains_nothing(extended, title):
    assert plan(extended(title)).trainings == set()


def test_a_new_backbone_is_trained(extended):
    project = extended("A backbone")
    configure(project, ("plain: {}", "plain: {}\n          deeper: {backbone: resnet34, epochs: 1}"))
    (folder,) = run(project, "results/small/tables/named.csv").trainings
    assert folder.startswith("resnet34-32px-")
    table = pd.read_csv(project / "results/small/tables/named.csv").set_index("run")
    assert table.backbone["deeper"] == "resnet34"


def test_a_new_augmentation_is_trained_with(extended):
    project = extended("An augmentation")
    bent = "bent: {augmentation: {gamma: 0.5}, epochs: 1}"
    configure(project, ("plain: {}", f"plain: {{}}\n          {bent}"))
    jobs = run(project, "results/small/tables/named.csv")
    (folder,) = jobs.trainings
    report = json.loads((project / f"results/small/runs/{folder}/fold-0/run.json").read_text())
    assert report["settings"]["augmentation"]["gamma"] == 0.5
    table = pd.read_csv(project / "results/small/tables/named.csv").set_index("run")
    assert table["augmentation.gamma"].to_dict() == {
        name: 0.5 if name == "bent" else 0.0 for name in table.index
    }


def accuracy(predictions: Path) -> float:
    table = pd.read_csv(predictions)
    return ((table.probability >= 0.5) == table.label).mean()


def test_a_new_metric_is_in_every_table_and_may_choose_the_final_model(extended):
    project = extended("A metric")
    configure(project, ("metric: val_log_loss", "metric: val_accuracy"))
    jobs = run(project)
    assert {"compare", "best", "final_metrics"} <= jobs.rules
    results = project / "results/small"
    run_table = pd.read_csv(results / "tables/runs.csv").set_index("run")
    for name in ("plain", "slow"):
        predictions = results / "runs" / run_table.folder[name] / "fold-0/predictions.csv"
        assert run_table.val_accuracy[name] == pytest.approx(accuracy(predictions), abs=1e-6)
    measured = json.loads((results / "final/metrics.json").read_text())["measured"]
    assert measured["accuracy"] == pytest.approx(accuracy(results / "final/held_out_predictions.csv"))
    assert json.loads((results / "final/best.json").read_text())["metric"] == "val_accuracy"
    assert "accuracy" in (results / "tables/summary.md").read_text()


def test_a_new_figure_is_drawn(extended):
    project = extended("A figure")
    assert run(project).rules == {"figure_intensity"}
    assert (project / "results/small/figures/intensity.png").stat().st_size > 5_000


def test_a_new_format_reruns_nothing(extended):
    assert plan(extended("A data-set format")).rules == set()


def test_a_new_format_is_read(extended):
    project = extended("A data-set format")
    given, mine = project / "data/small", project / "data/mine"
    shutil.copytree(given / "train", mine / "images")
    labels = pd.read_csv(given / "train_labels.csv", dtype=str)
    labels.assign(id=labels.id + ".tif").to_csv(mine / "labels.csv", index=False)
    experiment = {
        "dataset": {"format": "plain", "root": "data/mine"},
        "studies": {"only": {"runs": {"one": {}}}},
        "final": {"study": "only"},
    }
    (project / "mine.yaml").write_text(yaml.safe_dump({"experiments": {"mine": experiment}}))
    call = ("--configfile", "config.yaml", "mine.yaml", "--config", "experiment=mine")
    split = "results/mine/splits/main.csv"
    assert run(project, split, *call).rules == {"pack", "clean", "split"}
    assert len(pd.read_csv(project / split)) == 120
    shutil.rmtree(mine / "images")
    status, output = snakemake(project, *RUN_COMMAND, *call)
    assert status == 1
    assert "Error: data/mine/images: does not exist" in output
