"""With real processes: a worker ends with the first one, and what ends a worker is told."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import sharing
import torch
import torch.distributed as dist

from histopatch.engine.workers import together
from histopatch.errors import InputError, RunError
from histopatch.fingerprints import LIBRARY

CPUS = [torch.device("cpu")] * 2


@pytest.fixture
def beside(monkeypatch):
    """Be the first of two processes, of which the other one does as it is told."""
    monkeypatch.setenv("PYTHONPATH", str(Path(sharing.__file__).parent))
    return lambda how: together(CPUS, "sharing", {"how": how})


@pytest.mark.input("Machine", "a process beside the first one that fails with a line", "that line")
def test_the_line_of_a_worker_is_that_of_the_first_process(beside):
    with pytest.raises(InputError, match=r"^patch 7: is no patch; remove it$") as caught, beside("input"):
        dist.barrier()
    assert not isinstance(caught.value, RunError)


def test_a_run_that_cannot_succeed_is_told_apart_from_what_else_ends_a_worker(beside):
    with pytest.raises(RunError, match=r"^training diverged in epoch 3; lower lr$"), beside("run"):
        dist.barrier()


@pytest.mark.parametrize(("how", "said"), [("killed", "status -9"), ("bug", "KeyError: 'a bug'")])
def test_a_worker_that_fails_ends_the_first_process_with_its_reason(beside, how, said):
    with pytest.raises(RuntimeError, match=said), beside(how):
        dist.barrier()


def test_a_fault_of_the_first_process_is_its_own_and_ends_the_worker(beside):
    with pytest.raises(RuntimeError, match=r"^mine$"), beside("silent"):
        (worker,) = psutil.Process().children()
        raise RuntimeError("mine")
    assert not worker.is_running()


def test_one_device_has_no_workers():
    with together(CPUS[:1], "sharing", {}) as processes:
        assert processes.count == 1
        assert not psutil.Process().children()


FIRST = """
import sys, time, torch
from histopatch.engine import workers
workers.POLL_SECONDS = workers.GRACE = 0.1
with workers.together([torch.device("cpu")] * 2, "sharing", {"how": "silent"}):
    print("there", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def first():
    """A process that has a worker, and the worker."""
    paths = os.pathsep.join([str(LIBRARY.parent), str(Path(sharing.__file__).parent)])
    process = subprocess.Popen(
        [sys.executable, "-c", FIRST], env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "there\n"
    (worker,) = psutil.Process(process.pid).children()
    yield process, worker
    for one in (process, worker):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.communicate()


def test_a_worker_ends_with_a_first_process_that_is_killed(first):
    process, worker = first
    process.kill()
    process.wait()
    gone, _ = psutil.wait_procs([worker], timeout=20)
    assert gone


def test_a_first_process_that_waits_for_something_else_ends_with_its_worker(first):
    """As on a GPU, whose library does not notice that another process is gone."""
    process, worker = first
    worker.send_signal(signal.SIGKILL)
    assert process.wait(timeout=20) == 1
    assert "process 2 of 2 has ended with status -9" in process.stderr.read()
