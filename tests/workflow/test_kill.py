"""A workflow that is killed or started twice: no stale lock, no orphan, one writer a run."""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from edits import configure
from plan import RUN_COMMAND, folders, snakemake, start
from processes import wait_until

EPOCHS = 25
TARGET = "results/small/tables/named.csv"


@pytest.fixture
def training(project):
    """A workflow in the middle of a training of many epochs, and what it takes to watch it."""
    configure(project, ("dropout: 0.3", f"dropout: 0.3, epochs: {EPOCHS}"))
    started = Training(project)
    try:
        started.wait_for_epoch(2)
        yield started
    finally:
        started.end()


class Training:
    def __init__(self, project: Path):
        self.project = project
        (folder,) = folders(project, "named/slow")
        self.folder = project / f"results/small/runs/{folder}/fold-0"
        self.log = project / f"results/small/logs/train-{folder}-fold-0.log"
        self.started: list[subprocess.Popen] = []
        self.orphans: list[psutil.Process] = []
        self.start()

    @property
    def workflow(self) -> subprocess.Popen:
        return self.started[-1]

    def start(self) -> None:
        self.started.append(start(self.project, *RUN_COMMAND, TARGET))

    def log_text(self) -> str:
        return self.log.read_text() if self.log.is_file() else ""

    def wait_for_epoch(self, epoch: int) -> None:
        wait_until(lambda: re.search(rf"epoch {epoch} of {EPOCHS}", self.log_text()), self.workflow)

    def trainer(self) -> psutil.Process:
        """The process that trains, below the workflow."""
        below = psutil.Process(self.workflow.pid).children(recursive=True)
        (process,) = (p for p in below if "".join(p.cmdline()[-1:]).endswith(".train.py"))
        return process

    def kill(self) -> None:
        """Kill the workflow, and nothing else."""
        self.orphans.append(self.trainer())
        self.workflow.kill()
        self.workflow.wait()

    def is_complete(self) -> bool:
        """Whether every epoch stands in the history once and nothing but the kept files is left."""
        history = pd.read_csv(self.folder / "history.csv")
        kept = {"model.safetensors", "history.csv", "predictions.csv", "run.json"}
        return [*history.epoch] == [*range(1, EPOCHS + 1)] and {*os.listdir(self.folder)} == kept

    def end(self) -> None:
        left = [*self.orphans]
        if self.workflow.poll() is None:
            workflow = psutil.Process(self.workflow.pid)
            left += [workflow, *workflow.children(recursive=True)]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for workflow in self.started:
            workflow.wait()
            workflow.stdout.close()


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, even where nobody has asked for its exit status yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_the_plain_command_goes_on_after_a_kill(training):
    orphan = training.trainer()
    training.kill()
    # What a killed job leaves half written is neither taken for a result nor left there for good.
    (training.folder / "model.safetensors").write_text("half a model")
    (training.folder / ".0.resume.pt").write_text("half a state")
    training.start()
    output, _ = training.workflow.communicate(timeout=300)
    assert training.workflow.returncode == 0, output
    assert has_ended(orphan)
    assert "going on after epoch" in training.log_text()
    assert training.is_complete()


def test_an_orphaned_training_ends_by_itself(training):
    orphan = training.trainer()
    training.kill()
    deadline = time.monotonic() + 30
    while not has_ended(orphan) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert has_ended(orphan)
    assert not (training.folder / "history.csv").exists()


def test_a_training_waits_for_the_orphan_in_its_folder(training):
    orphan = training.trainer()
    orphan.suspend()  # so that it cannot notice that the workflow is gone
    training.kill()
    held = contents(training.folder)
    training.start()
    wait_until(lambda: "waiting for another process to leave" in training.log_text(), training.workflow)
    assert contents(training.folder) == held
    orphan.resume()
    wait_until(lambda: "going on after epoch" in training.log_text(), training.workflow)
    assert has_ended(orphan)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_workflow_at_the_same_time_is_refused(training):
    training.trainer().suspend()  # so that the first is still at work, however slow the machine
    for arguments in ((TARGET,), ("--config", "experiment=other")):
        status, output = snakemake(training.project, *RUN_COMMAND, *arguments)
        assert status == 1
        errors = [line for line in output.splitlines() if "rror" in line]
        assert errors == ["Error: another snakemake is at work in this folder; wait for it."]
    assert training.workflow.poll() is None
