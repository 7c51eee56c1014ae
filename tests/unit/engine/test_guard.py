"""With real processes: what the guard is for is their ends."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

from histopatch.engine import guard
from histopatch.engine.guard import exclusive
from histopatch.errors import InputError
from histopatch.fingerprints import LIBRARY

SECONDS = 20  # to wait for what must happen, on a busy machine

HOLD = """
import sys, time
from pathlib import Path
from histopatch.engine.guard import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def start():
    """Start a process that holds a folder, by way of `wrap`, and wait until it does."""
    with contextlib.ExitStack() as started:

        def run(folder, wrap=lambda command: command) -> subprocess.Popen:
            process = subprocess.Popen(
                wrap([sys.executable, "-c", HOLD, str(folder)]),
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
                start_new_session=True,
            )
            started.callback(end, process)
            assert process.stdout.readline() == "held\n"
            return process

        yield run


def end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def has_ended(output) -> bool:
    """Whether the last process that could write to the pipe is gone, within some seconds."""
    readable, _, _ = select.select([output], [], [], SECONDS)
    return bool(readable) and output.read() == ""


def test_a_second_process_cannot_have_the_folder(tmp_path, start, monkeypatch):
    monkeypatch.setattr(guard, "PATIENCE", 0)
    start(tmp_path)
    message = f"^{tmp_path}: another process is training in this folder"
    with pytest.raises(InputError, match=message), exclusive(tmp_path):
        pytest.fail("two processes hold the folder")


def test_a_killed_process_leaves_nothing_behind(tmp_path, start, monkeypatch):
    monkeypatch.setattr(guard, "PATIENCE", 0)
    process = start(tmp_path)
    process.kill()
    process.wait()
    with exclusive(tmp_path):
        assert not list(tmp_path.iterdir())


def test_a_process_that_lets_go_in_time_is_waited_for(tmp_path, start):
    process = start(tmp_path)
    threading.Timer(0.5, process.kill).start()
    began = time.monotonic()
    with exclusive(tmp_path):
        assert time.monotonic() - began > 0.3


def test_what_a_killed_training_left_half_written_is_removed(tmp_path):
    (tmp_path / ".4711.resume.pt").write_bytes(b"half")
    (tmp_path / "resume.pt").write_bytes(b"whole")
    with exclusive(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]


def test_other_folders_are_free(tmp_path, start, monkeypatch):
    monkeypatch.setattr(guard, "PATIENCE", 0)
    start(tmp_path / "one")
    with exclusive(tmp_path / "other"):
        assert (tmp_path / "other").is_dir()


@pytest.mark.parametrize("error", [None, KeyError])
def test_a_folder_is_free_again_after_its_training(tmp_path, monkeypatch, error):
    monkeypatch.setattr(guard, "PATIENCE", 0)
    with contextlib.suppress(KeyError), exclusive(tmp_path):
        if error:
            raise error
    with exclusive(tmp_path):
        pass


def in_shell(command: list[str]) -> list[str]:
    """As a job runs: its command in a shell, which stays for what comes after."""
    return ["sh", "-c", '"$@"; true', "sh", *command]


def in_workflow(command: list[str]) -> list[str]:
    """As a workflow runs: a process that runs the shell of the job."""
    code = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    return [sys.executable, "-c", code, *in_shell(command)]


@pytest.mark.parametrize("wrap", [in_shell, in_workflow])
def test_a_training_ends_when_what_started_it_is_killed(tmp_path, start, wrap):
    process = start(tmp_path, wrap)
    process.kill()
    process.wait()
    assert has_ended(process.stdout)


def test_a_killed_parent_that_nobody_waits_for_is_gone_too(tmp_path, start):
    process = start(tmp_path, in_shell)
    process.kill()
    assert has_ended(process.stdout)


def test_a_training_goes_on_while_its_parents_live(tmp_path, start):
    process = start(tmp_path, in_workflow)
    readable, _, _ = select.select([process.stdout], [], [], 2.5)  # the guard looks every second
    assert not readable


def test_a_training_that_is_over_is_not_ended(tmp_path):
    """The process may have other things to do after its training."""
    code = HOLD.replace("time.sleep(600)", "pass") + "time.sleep(2.5)\nprint('alive', flush=True)"
    shell = f'{sys.executable} -c "$0" {tmp_path}; true'
    process = subprocess.Popen(
        ["sh", "-c", shell, code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
        start_new_session=True,
    )
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    assert process.stdout.read() == "alive\n"
    process.stdout.close()
