"""A workflow that is killed or started twice: no stale lock, no orphan, one writer a run."""

import os
import re
import signal
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from edits import configure
from plan import RUN_COMMAND, folders, snakemake, start

EPOCHS = 25
TARGET = "results/small/tables/named.csv"


@pytest.fixture
def training(project):
    """A workflow in the middle of a training of many epochs, and what it takes to watch it."""
    configure(project, ("dropout: 0.3", f"dropout: 0.3, epochs: {EPOCHS}"))
    started = Training(project)
    started.wait_for_epoch(2)
    yield started
    started.end()


class Training:
    def __init__(self, project: Path):
        self.project = project
        (folder,) = folders(project, "named/slow")
        self.folder = project / f"results/small/runs/{folder}/fold-0"
        self.log = project / f"results/small/logs/train-{folder}-fold-0.log"
        self.processes: list[psutil.Process] = []
        self.workflow = self.start()

    def start(self):
        workflow = start(self.project, *RUN_COMMAND, TARGET)
        self.processes.append(psutil.Process(workflow.pid))
        return workflow

    def log_text(self) -> str:
        return self.log.read_text() if self.log.is_file() else ""

    def wait_for_epoch(self, epoch: int) -> None:
        wait_until(lambda: re.search(rf"epoch {epoch} of {EPOCHS}", self.log_text()), self.workflow)

    def trainer(self) -> psutil.Process:
        """The process that trains, below the workflow."""
        below = psutil.Process(self.workflow.pid).children(recursive=True)
        (process,) = (p for p in below if any(part.endswith(".train.py") for part in p.cmdline()[-1:]))
        self.processes.append(process)
        return process

    def kill(self) -> None:
        self.workflow.send_signal(signal.SIGKILL)
        self.workflow.wait()

    def is_complete(self) -> bool:
        """Whether every epoch stands in the history once and nothing but the kept files is left."""
        history = pd.read_csv(self.folder / "history.csv")
        kept = {"model.safetensors", "history.csv", "predictions.csv", "run.json"}
        return [*history.epoch] == [*range(1, EPOCHS + 1)] and {*os.listdir(self.folder)} == kept

    def end(self) -> None:
        for process in self.processes:
            if process.is_running():
                for below in (*process.children(recursive=True), process):
                    below.kill()
        self.workflow.communicate()


def wait_until(condition, workflow, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        assert workflow.poll() is None, workflow.stdout.read()
        time.sleep(0.1)


def test_the_plain_command_goes_on_after_a_kill(training):
    orphan = training.trainer()
    training.kill()
    # What a killed job leaves half written is neither taken for a result nor left there for good.
    (training.folder / "model.safetensors").write_text("half a model")
    (training.folder / f".{orphan.pid}.resume.pt").write_text("half a state")
    training.workflow = training.start()
    output, _ = training.workflow.communicate(timeout=300)
    assert training.workflow.returncode == 0, output
    assert not orphan.is_running()
    assert "going on after epoch" in training.log_text()
    assert training.is_complete()


def test_an_orphaned_training_ends_by_itself(training):
    orphan = training.trainer()
    training.kill()
    psutil.wait_procs([orphan], timeout=30)
    assert not orphan.is_running()
    assert not (training.folder / "history.csv").exists()


def test_a_training_waits_for_the_orphan_in_its_folder(training):
    orphan = training.trainer()
    orphan.suspend()  # so that it cannot notice that the workflow is gone
    training.kill()
    held = contents(training.folder)
    training.workflow = training.start()
    wait_until(lambda: "waiting for another process to leave" in training.log_text(), training.workflow)
    assert contents(training.folder) == held
    orphan.resume()
    wait_until(lambda: "going on after epoch" in training.log_text(), training.workflow)
    assert not orphan.is_running()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_workflow_at_the_same_time_is_refused(training):
    status, output = snakemake(training.project, *RUN_COMMAND, TARGET)
    assert status == 1
    errors = [line for line in output.splitlines() if "rror" in line]
    assert errors == ["Error: another snakemake is at work in this folder; wait for it."]
    assert training.workflow.poll() is None
    assert training.trainer().is_running()
