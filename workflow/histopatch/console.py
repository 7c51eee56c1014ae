"""What a job tells its user: everything to its log file, warnings and progress bars to the terminal."""

import atexit
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from histopatch.errors import one_line
from histopatch.parents import ending_with_parents

# In the environment of a job whose workflow says itself, from the log, what runs and what failed.
SPOKEN_FOR = "HISTOPATCH_SPOKEN_FOR"
LOG_FORMAT = {"fmt": "%(asctime)s %(levelname)s %(message)s", "datefmt": "%H:%M:%S"}
UNEXPECTED = "failed"  # the message of an error that has a traceback


@contextlib.contextmanager
def job_log(path: str | Path, level: str) -> Iterator[None]:
    """Send log lines to the file while a job runs, and to the terminal what concerns its user there.

    level: `debug`, `info` or `warning`. What users can mend themselves (see `one_line`) ends the job with one
    line; any other error keeps its traceback. The terminal shows all of this, too, unless the workflow speaks
    for its jobs: then only warnings, and an error that a full disk keeps out of the log. A termination
    (SIGTERM) lets the job clean up, and the end of the workflow is that of the job.
    """
    # A process ends by looking for garbage, which takes over a second among the objects of PyTorch.
    atexit.register(gc.freeze)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
    terminal = Terminal()
    terminal.setFormatter(logging.Formatter(**LOG_FORMAT))
    if os.environ.get(SPOKEN_FOR):
        terminal.setFormatter(logging.Formatter("Warning: %(message)s"))
        terminal.addFilter(_is_own_warning)
    logging.basicConfig(level=level.upper(), handlers=[terminal, _open_log(Path(path))], force=True)
    logging.captureWarnings(True)
    try:
        with ending_with_parents():
            yield
    except Exception as error:
        if line := one_line(error):
            logging.error("%s", line)
        else:
            logging.exception(UNEXPECTED)
        sys.exit(1)


class Terminal(logging.Handler):
    """Writes lines to the terminal, above the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            tqdm.write(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


class LogFile(logging.FileHandler):
    """A log file that stays silent where its disk is full: then the terminal has the errors."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, the name in `logging`
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)
        elif os.environ.get(SPOKEN_FOR) and record.levelno >= logging.ERROR:
            tqdm.write(f"Error: {record.getMessage()}", file=sys.stderr)


def _is_own_warning(record: logging.LogRecord) -> bool:
    """Whether a line is a warning of the project's own; those of libraries are for the log."""
    return record.levelno == logging.WARNING and record.name == "root"


def _end(number: int, frame) -> None:
    logging.info("ended from outside (%s)", signal.Signals(number).name)
    sys.exit(128 + number)


def _open_log(path: Path) -> LogFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = LogFile(path, mode="w")
    except OSError as error:
        if line := one_line(error):
            sys.exit(f"Error: {line}")
        raise
    log.setFormatter(logging.Formatter(**LOG_FORMAT))
    return log


def progress(iterable=None, **options) -> tqdm:
    """A progress bar on a terminal, nothing where the output is piped."""
    return tqdm(iterable, disable=None, dynamic_ncols=True, leave=False, **options)
