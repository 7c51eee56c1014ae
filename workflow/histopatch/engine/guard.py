"""One training per folder."""

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from histopatch.errors import InputError
from histopatch.locks import try_lock

PATIENCE = 30.0  # seconds; an orphan notices within some that its parents are gone


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone.

    An orphan of a workflow that was killed may still be at work in it. The lock is on the open folder, so it
    dies with its holder and leaves no file behind. Raises InputError when another process holds the folder
    and does not let go.
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
    deadline = time.monotonic() + PATIENCE
    while not try_lock(descriptor, folder):
        if time.monotonic() > deadline:
            raise InputError(f"{folder}: another process is training in this folder; wait for it or end it")
        logging.info("waiting for another process to leave %s", folder)
        time.sleep(1)
