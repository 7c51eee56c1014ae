"""Processes that tests start, watch and end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence


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
