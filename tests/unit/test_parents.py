"""With real processes: what is tested is their ends."""

import contextlib
import os
import select
import subprocess
import sys

import psutil
import pytest
from processes import started

from histopatch.fingerprints import LIBRARY
from histopatch.parents import WORKFLOW

# The tests may run inside of a job.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != WORKFLOW} | {"PYTHONPATH": str(LIBRARY.parent)}
SECONDS = 20  # to wait for what must happen, on a busy machine

JOB = """
import time
from histopatch.parents import ending_with_parents
with ending_with_parents():
    print("at work", flush=True)
    time.sleep(600)
"""
WITH_WORKERS = """
import os, time
from histopatch.data.pool import worker_pool
with worker_pool(2) as pool:
    tasks = [pool.submit(time.sleep, 0.5) for _ in range(2)]
    print("at work", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def start():
    """Start a process by way of `wrap`, and wait until it is at work."""
    with contextlib.ExitStack() as processes:

        def run(wrap=lambda command: command, code: str = JOB) -> subprocess.Popen:
            command = wrap([sys.executable, "-c", code])
            return processes.enter_context(started(command, "at work", ENVIRONMENT))

        yield run


def has_ended(output) -> bool:
    """Whether the last process that could write to the pipe is gone, within some seconds."""
    readable, _, _ = select.select([output], [], [], SECONDS)
    return bool(readable) and output.read() == ""


def in_shell(command: list[str]) -> list[str]:
    """In a shell, which stays for what comes after, and is the workflow."""
    return ["sh", "-c", f'{WORKFLOW}=$$ "$@"; true', "sh", *command]


def in_workflow(command: list[str]) -> list[str]:
    """As a workflow runs a job: in a shell."""
    code = (
        "import os, subprocess, sys\n"
        f"os.environ[{WORKFLOW!r}] = str(os.getpid())\n"
        "subprocess.run(sys.argv[1:])"
    )
    return [sys.executable, "-c", code, "sh", "-c", '"$@"; true', "sh", *command]


def in_terminal(command: list[str]) -> list[str]:
    """The workflow itself has been started by a shell."""
    return ["sh", "-c", '"$@"; true', "sh", *in_workflow(command)]


def after_workflow(command: list[str]) -> list[str]:
    """A job whose workflow has ended before it looks."""
    return ["sh", "-c", f'{WORKFLOW}=$(sh -c "echo \\$\\$") "$@"; true', "sh", *command]


@pytest.mark.parametrize("wrap", [in_shell, in_workflow])
def test_a_job_ends_when_what_started_it_is_killed(start, wrap):
    process = start(wrap)
    process.kill()
    process.wait()
    assert has_ended(process.stdout)


def test_a_killed_parent_that_nobody_waits_for_is_gone_too(start):
    process = start(in_shell)
    process.kill()
    assert has_ended(process.stdout)


def test_a_job_ends_whose_workflow_was_killed_before_it_looked(start):
    assert has_ended(start(after_workflow).stdout)


def test_a_job_goes_on_when_the_terminal_of_its_workflow_is_closed(start):
    process = start(in_terminal)
    process.kill()
    process.wait()
    assert not select.select([process.stdout], [], [], 2.5)[0]


@pytest.mark.parametrize("wrap", [in_workflow, lambda command: command])
def test_a_job_goes_on_while_its_workflow_lives_or_where_it_has_none(start, wrap):
    process = start(wrap)
    readable, _, _ = select.select([process.stdout], [], [], 2.5)  # it looks every second
    assert not readable


def test_a_job_that_is_over_is_not_ended(start):
    """The process may have other things to do after its work."""
    code = JOB.replace("time.sleep(600)", "pass") + "time.sleep(2.5)\nprint('alive', flush=True)"
    process = start(in_shell, code)
    process.kill()
    process.wait()
    assert process.stdout.read() == "alive\n"


def test_workers_end_with_the_process_that_started_them(start):
    process = start(code=WITH_WORKERS)
    assert len(psutil.Process(process.pid).children()) == 2
    process.kill()
    process.wait()
    assert has_ended(process.stdout)
