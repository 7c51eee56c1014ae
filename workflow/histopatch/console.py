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

from histopatch.errors import InputError


@contextlib.contextmanager
def job_log(path: str | Path, level: str) -> Iterator[None]:
    """Send log lines to the terminal and the file while a job runs; bars stay below the lines.

    level: `debug`, `info` or `warning`. What users can mend themselves ends the job with one line; any other
    error keeps its traceback, in the log file too.
    """
    # A process ends by looking for garbage, which takes over a second among the objects of PyTorch.
    atexit.register(gc.freeze)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.StreamHandler(sys.stderr), logging.FileHandler(path, mode="w")]
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    with logging_redirect_tqdm():
        try:
            yield
        except InputError as error:
            logging.error("%s", error)
            sys.exit(1)
        except Exception:
            logging.exception("failed")
            sys.exit(1)


def progress(iterable=None, **options) -> tqdm:
    """A progress bar on a terminal, nothing where the output is piped."""
    return tqdm(iterable, disable=None, dynamic_ncols=True, leave=False, **options)
