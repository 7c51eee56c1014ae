import os
import time

import pytest

from terminal.failure import cause, exit_status


@pytest.fixture
def log(tmp_path):
    def write(*lines: str) -> list[str]:
        path = tmp_path / "job.log"
        path.write_text("".join(f"10:00:00 {line}\n" for line in lines))
        return [str(path)]

    return write


def test_the_cause_is_the_last_error_of_the_log(log):
    assert cause(log("ERROR first", "INFO then", "ERROR last: do this"), time.time()) == "last: do this"


def test_a_traceback_is_its_last_line(log):
    lines = log("ERROR failed\nTraceback (most recent call last):\n  File x\nKeyError: 'row'")
    assert (
        cause(lines, time.time())
        == "an error that the program does not expect, KeyError: 'row'; the log says where"
    )


def test_a_log_without_an_error_or_of_an_earlier_attempt_says_nothing(log, tmp_path):
    assert cause(log("INFO fine"), time.time()) == ""
    assert cause([str(tmp_path / "none.log")], time.time()) == ""
    (path,) = log("ERROR old")
    os.utime(path, (1, 1))
    assert cause([path], time.time()) == ""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("CalledProcessError: Command 'x' died with <Signals.SIGKILL: 9>.", "(SIGKILL); memory may have"),
        ("CalledProcessError: Command 'x' returned non-zero exit status 137.", "(SIGKILL); memory may have"),
        ("CalledProcessError: Command 'x' returned non-zero exit status 143.", "from outside (SIGTERM)"),
        ("CalledProcessError: Command 'x' returned non-zero exit status 2.", "with exit status 2"),
    ],
)
def test_how_a_process_ended(message, told):
    assert told in exit_status(message)


def test_other_messages_are_not_about_a_process():
    assert exit_status("MissingOutputException: Job 3 completed successfully, but x is missing") == ""
