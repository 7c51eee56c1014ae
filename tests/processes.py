"""Processes that tests start, watch and end."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence


@contextlib.contextmanager
def started(command: Sequence[str], says: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """A process in a session of its own which has said a line; what is left of the session is killed."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        assert process.stdout.readline() == f"{says}\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def wait_until(condition: Callable[[], object], process: subprocess.Popen, seconds: float = 180) -> None:
    """Wait until a condition holds; fail where it takes too long, or the process ends before."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
