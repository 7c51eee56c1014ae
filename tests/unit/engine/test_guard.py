"""With real processes: what the guard is for is their ends."""

import contextlib
import os
import sys
import threading
import time

import pytest
from processes import started

from histopatch.engine import guard
from histopatch.engine.guard import exclusive
from histopatch.fingerprints import LIBRARY

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
    """Start a process that holds a folder, and wait until it does."""
    environment = os.environ | {"PYTHONPATH": str(LIBRARY.parent)}
    with contextlib.ExitStack() as processes:
        yield lambda folder: processes.enter_context(
            started([sys.executable, "-c", HOLD, str(folder)], "held", environment)
        )


def test_a_second_process_waits_for_the_folder_and_says_so(tmp_path, start, monkeypatch, caplog):
    monkeypatch.setattr(guard, "PATIENCE", 0)
    process = start(tmp_path)
    threading.Timer(1.5, process.kill).start()
    with exclusive(tmp_path):
        assert process.wait(0) is not None
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(f"{tmp_path}: another process is training in this folder")


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
    (tmp_path / ".ipynb_checkpoints").mkdir()  # whoever made it
    with exclusive(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"resume.pt", ".ipynb_checkpoints"}


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
