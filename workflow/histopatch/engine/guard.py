"""One training per folder."""

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from histopatch.files import LEFTOVER
from histopatch.locks import open_lock, try_lock

PATIENCE = 30.0  # seconds without a warning; an orphan notices within some that its parents are gone


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone.

    Waits while another process has it: an orphan of a workflow that was killed, or a job of the same
    workflow, as a run of two studies is trained up to the rungs of each. The file of the lock, which
    dies with its holder, lies beside the folder.
    """
    with open_lock(folder.with_name(f".{folder.name}.lock")) as file:
        _lock(file, folder)
        folder.mkdir(exist_ok=True)
        for left in filter(lambda path: LEFTOVER.fullmatch(path.name), folder.iterdir()):
            left.unlink()  # half written by a training that was killed
        yield


def _lock(file: IO, folder: Path) -> None:
    if try_lock(file, folder):
        return
    logging.info("waiting for another process to leave %s", folder)
    began, warned = time.monotonic(), False
    while not try_lock(file, folder):
        if not warned and time.monotonic() - began >= PATIENCE:
            logging.warning(
                "%s: another process is training in this folder, and this one waits for it; end the other if "
                "it is no job of this workflow", folder,
            )  # fmt: skip
            warned = True
        time.sleep(1)
