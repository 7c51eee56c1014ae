"""A training whose memory the kernel limits, as it does in a container or a job of a cluster."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from edits import configure
from plan import RUN_COMMAND, folders, plan, start

MB = 10**6
# By version of the kernel's interface: the parent of the group, and the file with the limit.
INTERFACES = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)


class Group(NamedTuple):
    folder: Path
    limit: str

    def run(self, megabytes: int, project: Path, *arguments: str) -> tuple[int, str]:
        """Call Snakemake in a project with this limit; return its exit status and what it printed."""
        (self.folder / self.limit).write_text(f"{megabytes * MB}")
        process = start(project, *RUN_COMMAND, *arguments)
        (self.folder / "cgroup.procs").write_text(f"{process.pid}")  # its children are born there
        output, _ = process.communicate(timeout=600)
        return process.returncode, output


@pytest.fixture
def group() -> Iterator[Group]:
    for parent, limit in INTERFACES:
        folder = parent / f"histopatch-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / limit).is_file():
            yield Group(folder, limit)
            folder.rmdir()
            return
        folder.rmdir()
    pytest.skip("only root can make a control group that limits memory, and on Linux only")


@pytest.fixture
def large(project):
    """A project with a run whose batches take some 3 GB."""
    run = "large: {image_size: 224, batch_size: 64, epochs: 1}"
    configure(project, ("plain: {}", f"plain: {{}}\n          {run}"))
    return project


def predictions(project: Path) -> str:
    (folder,) = folders(project, "named/large")
    return f"results/small/runs/{folder}/fold-0/predictions.csv"


def test_a_training_takes_no_more_patches_at_a_time_than_fit(large, group):
    status, output = group.run(1500, large, predictions(large))
    assert status == 0, output
    assert "memory is short: gradients accumulate over micro-batches of" in output
    assert (large / predictions(large)).is_file()


def test_a_training_that_the_kernel_kills_is_said_and_goes_on_with_more_memory(large, group):
    status, output = group.run(450, large, predictions(large))
    assert status == 1
    failed, reason, go_on, _ = output.splitlines()[-4:]
    assert failed == "Failed: training `named: large`"
    assert reason.startswith("  its process was ended from outside (SIGKILL); memory may have run out")
    assert go_on.endswith("what is finished stays.")
    assert plan(large, *RUN_COMMAND, predictions(large)).trainings == folders(large, "named/large")

    status, output = group.run(1500, large, predictions(large))
    assert status == 0, output
