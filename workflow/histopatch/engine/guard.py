"""One training per folder."""

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from histopatch.locks import try_lock

PATIENCE = 30.0  # seconds without a warning; an orphan notices within some that its parents are gone


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone.

    Waits while another process has it: an orphan of a workflow that was killed, or a job of the same
    workflow, as a run of two studies is trained up to the rungs of each. The lock is on the open folder, so
    it dies with its holder and leaves no file behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        for left in folder.glob(".*"):  # half written by a training that was killed
            left.unlink()
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    if try_lock(descriptor, folder):
        return
    logging.info("waiting for another process to leave %s", folder)
    began, warned = time.monotonic(), False
    while not try_lock(descriptor, folder):
        if not warned and time.monotonic() - began >= PATIENCE:
            logging.warning(
                "%s: another process is training in this folder, and this one waits for it; end the other if "
                "it is no job of this workflow", folder,
            )  # fmt: skip
            warned = True
        time.sleep(1)
