import contextlib
import errno
import io
import logging
import os
import signal
import time
import warnings
from pathlib import Path

import pytest

from histopatch.console import SPOKEN_FOR, job_log, progress
from histopatch.errors import InputError
from histopatch.files import replacing


@pytest.fixture(autouse=True)
def not_spoken_for(monkeypatch):
    monkeypatch.delenv(SPOKEN_FOR, raising=False)  # the tests may run inside of a job


@pytest.fixture(autouse=True)
def logging_restored():
    """A job sets up logging for its process, which here is the process of all tests."""
    root = logging.getLogger()
    handlers, level, terminated = root.handlers[:], root.level, signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, terminated)
    logging.captureWarnings(False)
    for handler in root.handlers:
        if handler not in handlers:
            with contextlib.suppress(OSError):  # the log of a full disk
                handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_lines_go_to_the_terminal_and_to_the_file(tmp_path, capsys):
    with job_log(tmp_path / "logs" / "job.log", "info"):
        logging.info("packed %d", 7)
    lines = (tmp_path / "logs" / "job.log").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("INFO packed 7")
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(("level", "shown"), [("debug", "diw"), ("info", "iw"), ("warning", "w")])
def test_the_level_decides_what_is_shown(tmp_path, level, shown):
    with job_log(tmp_path / "job.log", level):
        logging.debug("d")
        logging.info("i")
        logging.warning("w")
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert "".join(line[-1] for line in lines) == shown


def test_a_log_is_of_the_last_job_only(tmp_path):
    for text in ("first", "second"):
        with job_log(tmp_path / "job.log", "info"):
            logging.info(text)
    assert "first" not in (tmp_path / "job.log").read_text()


def test_warnings_are_logged(tmp_path):
    with job_log(tmp_path / "job.log", "info"):
        warnings.warn("old API", stacklevel=1)
    assert "old API" in (tmp_path / "job.log").read_text()


def test_what_the_user_can_mend_ends_the_job_with_one_line(tmp_path):
    with pytest.raises(SystemExit) as ended, job_log(tmp_path / "job.log", "info"):
        raise InputError("labels.csv: no such file")
    assert ended.value.code == 1
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("ERROR labels.csv: no such file")


def test_any_other_error_ends_the_job_with_its_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, job_log(tmp_path / "job.log", "info"):
        raise KeyError("row")
    assert ended.value.code == 1
    text = (tmp_path / "job.log").read_text()
    assert "Traceback" in text
    assert "KeyError: 'row'" in text
    assert "KeyError: 'row'" in capsys.readouterr().err


@pytest.mark.input("Machine", "A full disk", "the job ends with one line that names the file")
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path, capsys):
    """In the log, too, which is on the same disk."""
    with pytest.raises(SystemExit) as ended, job_log("/dev/full", "info"):
        logging.info("packing")
        with replacing(tmp_path / "table.csv") as temporary:
            temporary.symlink_to("/dev/full")
            temporary.write_text("id,label")
    assert ended.value.code == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO packing")
    assert f"ERROR {tmp_path}/table.csv: No space left on device; " in second


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            errno.EACCES,
            marks=pytest.mark.input(
                "Machine", "A results folder without write permission", "one line that names it"
            ),
        ),
        pytest.param(
            errno.EROFS,
            marks=pytest.mark.input("Machine", "A read-only file system", "one line that names the file"),
        ),
        pytest.param(
            errno.EDQUOT,
            marks=pytest.mark.input("Machine", "A quota of disk space that is used up", "one line"),
        ),
        pytest.param(errno.EIO, marks=pytest.mark.input("Machine", "A disk that fails", "one line")),
    ],
    ids=errno.errorcode.get,
)
def test_what_a_disk_refuses_is_one_line(tmp_path, capsys, code):
    with pytest.raises(SystemExit), job_log(tmp_path / "job.log", "info"):
        raise OSError(code, os.strerror(code), "results/pack")
    (line,) = capsys.readouterr().err.splitlines()
    assert f"ERROR results/pack: {os.strerror(code)}; " in line


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EBADF, errno.EMFILE])
def test_any_other_error_of_the_system_keeps_its_traceback(tmp_path, capsys, code):
    with pytest.raises(SystemExit), job_log(tmp_path / "job.log", "info"):
        raise OSError(code, os.strerror(code))
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def spoken_for(monkeypatch):
    """As in a workflow that tells of its jobs itself."""
    monkeypatch.setenv(SPOKEN_FOR, "1")


def test_a_workflow_that_speaks_for_its_jobs_leaves_them_their_warnings(spoken_for, tmp_path, capsys):
    with job_log(tmp_path / "job.log", "info"):
        logging.info("packing")
        logging.warning("split main leaks")
        logging.getLogger("library").warning("deprecated")
        warnings.warn("old API", stacklevel=1)
    assert capsys.readouterr().err == "Warning: split main leaks\n"
    log = (tmp_path / "job.log").read_text()
    assert all(text in log for text in ("packing", "split main leaks", "deprecated", "old API"))


@pytest.mark.parametrize("error", [InputError("labels.csv: no such file"), KeyError("row")])
def test_such_a_workflow_finds_the_error_in_the_log(spoken_for, tmp_path, capsys, error):
    with pytest.raises(SystemExit), job_log(tmp_path / "job.log", "info"):
        raise error
    assert capsys.readouterr().err == ""
    assert str(error) in (tmp_path / "job.log").read_text()


def test_an_error_that_a_full_disk_keeps_out_of_the_log_is_on_the_terminal(spoken_for, capsys):
    with pytest.raises(SystemExit), job_log("/dev/full", "info"):
        logging.info("packing")
        raise InputError("labels.csv: no such file")
    assert capsys.readouterr().err == "Error: labels.csv: no such file\n"


def test_a_termination_lets_the_job_clean_up(tmp_path):
    with (
        pytest.raises(SystemExit) as ended,
        job_log(tmp_path / "job.log", "info"),
        replacing(tmp_path / "table.csv") as temporary,
    ):
        temporary.write_text("id,label")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    assert ended.value.code == 128 + signal.SIGTERM
    assert os.listdir(tmp_path) == ["job.log"]
    assert "ended from outside (SIGTERM)" in (tmp_path / "job.log").read_text()


def test_a_log_that_cannot_be_opened_is_one_line(monkeypatch):
    def denied(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied", "results/logs")

    monkeypatch.setattr(Path, "mkdir", denied)
    with (
        pytest.raises(SystemExit, match=r"^Error: results/logs: Permission denied; "),
        job_log("a/b", "info"),
    ):
        pytest.fail("there is no log")


def test_an_error_of_a_log_line_itself_is_seen(tmp_path, capsys):
    with job_log(tmp_path / "job.log", "info"):
        logging.info("%d", "three")
    assert "Logging error" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, False), (Terminal, True)])
def test_progress_is_shown_on_a_terminal_only(stream, shown):
    out = stream()
    assert list(progress(range(3), file=out, desc="packing")) == [0, 1, 2]
    assert ("packing" in out.getvalue()) == shown
    assert bool(out.getvalue()) == shown
