"""What a job tells its user: log lines to the terminal and to a file at once, and progress bars."""

import atexit
import contextlib
import gc
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from histopatch.errors import one_line


@contextlib.contextmanager
def job_log(path: str | Path, level: str) -> Iterator[None]:
    """Send log lines to the terminal and the file while a job runs; bars stay below the lines.

    level: `debug`, `info` or `warning`. What users can mend themselves (see `one_line`) ends the job with one
    line; any other error keeps its traceback, in the log file too.
    """
    # A process ends by looking for garbage, which takes over a second among the objects of PyTorch.
    atexit.register(gc.freeze)
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.StreamHandler(sys.stderr), _open_log(Path(path))],
        force=True,
    )
    logging.captureWarnings(True)
    with logging_redirect_tqdm():
        try:
            yield
        except Exception as error:
            if line := one_line(error):
                logging.error("%s", line)
            else:
                logging.exception("failed")
            sys.exit(1)


class LogFile(logging.FileHandler):
    """A log file that stays silent where its disk is full: the terminal has the line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, the name in `logging`
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


def _open_log(path: Path) -> LogFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return LogFile(path, mode="w")
    except OSError as error:
        if line := one_line(error):
            sys.exit(f"Error: {line}")
        raise


def progress(iterable=None, **options) -> tqdm:
    """A progress bar on a terminal, nothing where the output is piped."""
    return tqdm(iterable, disable=None, dynamic_ncols=True, leave=False, **options)
