"""Why a job failed: from its log, or else from how its process ended."""

import re
import signal
from pathlib import Path

from histopatch.console import UNEXPECTED

_ERROR = re.compile(r"^\d\d:\d\d:\d\d ERROR (.*)$")


def cause(logs: list[str], since: float) -> str:
    """The last error of the logs of a job in one line; empty where there is none.

    since: the time at which the job started; an older log is of an earlier attempt.
    """
    for path in map(Path, logs):
        try:
            if path.stat().st_mtime < since - 1:  # clocks of file systems are coarse
                continue
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        errors = [(number, match[1]) for number, line in enumerate(lines) if (match := _ERROR.match(line))]
        if errors:
            number, message = errors[-1]
            return _unexpected(lines[number:]) if message == UNEXPECTED else message
    return ""


def exit_status(message: str) -> str:
    """How the process of a job ended, from what Snakemake says of it; empty if it says nothing of that."""
    if "CalledProcessError" not in message:
        return ""
    if killed := re.search(r"died with <Signals\.(\w+)", message):
        return _killed(killed[1])
    status = re.search(r"non-zero exit status (\d+)", message)
    number = int(status[1]) if status else 1
    if number > 128:  # as a shell tells of a signal
        return _killed(signal.Signals(number - 128).name)
    return f"its process ended with exit status {number} and left no reason in its log"


def _killed(name: str) -> str:
    reason = "; memory may have run out: free some, or lower the cores" if name == "SIGKILL" else ""
    return f"its process was ended from outside ({name}){reason}"


def _unexpected(lines: list[str]) -> str:
    """An error with a traceback, which begins in the first of the lines."""
    last = [line for line in lines if line.strip()][-1]
    return f"an error that the program does not expect, {last}; the log says where"
