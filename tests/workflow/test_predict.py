"""New patches through an exported model: what runs, what does not run again, and what is refused."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, ROOT
from exported import make_model
from PIL import Image

from histopatch import inference

SHARDS = "results/predictions/new/shards"
ONE, CALLS = "predicting the patches, part {} of {}", "calling the patches"


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Twelve patches of noise, each with a brightness of its own."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (12, 40, 40, 3), np.uint8) + np.array([90, 40, 100], np.uint8)
    return noise + np.linspace(0, 80, 12, dtype=np.uint8)[:, None, None, None]


@pytest.fixture(scope="module")
def predicted(pixels, tmp_path_factory) -> Path:
    """The project with a model and the first ten patches, predicted in shards of four. Not to be changed."""
    project = tmp_path_factory.mktemp("predicted")
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project / name)
    module = project / "workflow/histopatch/prediction/shards.py"
    module.write_text(module.read_text().replace("MOST = 2048", "MOST = 4"))
    make_model(project / "model", pixels)
    (project / "new").mkdir()
    for number in range(10):
        save(project, pixels, number)
    status, output = predict(project)
    assert status == 0, output
    assert jobs(output) == [CALLS, ONE.format(1, 3), ONE.format(2, 3), ONE.format(3, 3)]
    return project


@pytest.fixture
def project(predicted, tmp_path) -> Path:
    return shutil.copytree(predicted, tmp_path / "project")


def save(project: Path, pixels: np.ndarray, number: int) -> None:
    Image.fromarray(pixels[number]).save(project / f"new/{number:02d}.png")


def command(**config: str) -> list[str]:
    asked = {"model": "model", "input": "new"} | config
    return [
        sys.executable, "-m", "snakemake", "--snakefile", "workflow/predict/Snakefile", "--cores", "1",
        "--config", *(f"{name}={value}" for name, value in asked.items()),
    ]  # fmt: skip


def predict(project: Path, *arguments: str, **config: str) -> tuple[int, str]:
    """Call the workflow; return its exit status and what it printed."""
    done = subprocess.run(
        [*command(**config), *arguments],
        cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def jobs(output: str) -> list[str]:
    """What was done, in words."""
    return sorted(line.partition("] ")[2] for line in output.splitlines() if line.startswith("["))


def table(project: Path) -> pd.DataFrame:
    return pd.read_csv(project / "results/predictions/new/predictions.csv")


def test_the_table_has_what_the_model_says_of_each_patch(predicted, pixels):
    found = table(predicted)
    assert found.id.tolist() == [f"{number:02d}.png" for number in range(10)]
    model = inference.load(predicted / "model", "cpu")
    assert np.allclose(found.probability, model.predict(pixels[:10]), atol=1e-5)
    assert np.allclose(
        found.recalibrated_probability, model.predict(pixels[:10], recalibrated=True), atol=1e-5
    )
    assert (found.call == (found.probability >= model.thresholds["youden"])).all()
    summary = (predicted / "results/predictions/new/summary.txt").read_text()
    assert summary.startswith("10 patches, of which 0 could not be used")


def test_nothing_is_done_twice_but_what_somebody_deleted(project):
    status, output = predict(project)
    assert status == 0, output
    assert jobs(output) == []
    assert "nothing to do, everything is up to date" in output
    (project / SHARDS / "1.csv").unlink()
    status, output = predict(project)
    assert status == 0, output
    assert jobs(output) == [CALLS, ONE.format(2, 3)]


def test_only_what_is_new_or_changed_is_predicted(project, pixels):
    before = table(project)
    save(project, pixels, 10)
    Image.fromarray(pixels[11]).save(project / "new/03.png")
    (project / "new/00.png").unlink()
    status, output = predict(project)
    assert status == 0, output
    assert jobs(output) == [CALLS, ONE.format(4, 4)]
    after = table(project)
    assert after.id.tolist() == [f"{number:02d}.png" for number in range(1, 11)]
    same = ~after.id.isin(["03.png", "10.png"])
    assert after.probability[same].tolist() == before.probability[before.id.isin(after.id[same])].tolist()
    wanted = inference.load(project / "model", "cpu").predict(pixels[[11, 10]])
    assert np.allclose(after.probability[~same], wanted, atol=1e-5)


def test_another_operating_point_or_share_predicts_nothing_again(project):
    status, output = predict(project, abstain="0.3")
    assert status == 0, output
    assert jobs(output) == [CALLS]


def test_another_model_predicts_everything_again(project, pixels):
    shutil.rmtree(project / "model")
    make_model(project / "model", pixels, symmetries=True)
    status, output = predict(project)
    assert status == 0, output
    assert len(jobs(output)) == 4


def test_a_kill_costs_the_shard_that_was_predicted(project, pixels):
    for path in (project / SHARDS).glob("[12].csv"):
        path.unlink()
    process = subprocess.Popen(
        command(), cwd=project, text=True, stderr=subprocess.PIPE, start_new_session=True
    )
    with process:
        for line in process.stderr:
            if line.startswith("[2 of 3]"):
                os.killpg(process.pid, signal.SIGKILL)
    assert (project / SHARDS / "1.csv").is_file() != (project / SHARDS / "2.csv").is_file()
    status, output = predict(project)
    assert status == 0, output
    assert len(jobs(output)) == 2
    assert np.allclose(
        table(project).probability, inference.load(project / "model", "cpu").predict(pixels[:10]), atol=1e-5
    )


def test_a_table_with_labels_and_files_that_cannot_be_used(project):
    (project / "new/01.png").write_bytes(b"no image")
    lines = ["path,label", *(f"new/{number:02d}.png,{number % 2}" for number in range(4)), "new/gone.png,1"]
    (project / "mine.csv").write_text("\n".join(lines))
    status, output = predict(project, input="mine.csv", out="mine")
    assert status == 0, output
    assert "Warning: 2 of 5 patches could not be used, such as 'new/01.png'" in output
    assert output.splitlines()[-1].endswith("Start with mine/summary.txt, then mine/predictions.csv.")
    found = pd.read_csv(project / "mine/predictions.csv")
    assert found.reason.notna().tolist() == [False, True, False, False, True]
    assert "3 patches have a label, 1 of them 1: AUROC" in (project / "mine/summary.txt").read_text()


def test_two_predictions_into_one_folder_are_not_at_work_at_a_time(project):
    before = (project / "results/predictions/new/input.csv").read_bytes()
    (project / "new/00.png").unlink()
    with (project / "results/predictions/new/.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, output = predict(project)
    assert status == 1
    assert "Error: results/predictions/new: another prediction is at work here; wait for it\n" in output
    assert (project / "results/predictions/new/input.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model": "none"}, "none/model.json: there is no such file"),
        ({"input": "none"}, "none: no such file or folder; INPUT names"),
        ({"point": "best"}, "POINT: 'best' is not known to this model; use one of youden"),
        ({"input": "model"}, "model: there are no images here"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_job(predicted, config, words):
    status, output = predict(predicted, **({"out": "elsewhere"} | config))
    assert status == 1
    (line,) = [line for line in output.splitlines() if not line.startswith(("Using", "Assuming"))]
    assert line.startswith(f"Error: {words}")
