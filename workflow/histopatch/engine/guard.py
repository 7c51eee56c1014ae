"""One training per folder, and none that outlives the workflow that started it."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from histopatch.errors import InputError
from histopatch.locks import try_lock

PATIENCE = 30.0  # seconds; an orphan notices within one second that its parents are gone


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone, and end this process when its parents are gone.

    After a kill of the workflow its training lives on as an orphan that would write beside the next
    one. The lock is on the open folder, so it dies with its holder and leaves no file behind. Raises
    InputError when another process holds the folder and does not let go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    done = threading.Event()
    try:
        _lock(descriptor, folder)
        for left in folder.glob(".*"):  # half written by a training that was killed
            left.unlink()
        # The shell of the job, and what runs the shell.
        parents = psutil.Process().parents()[:2]
        threading.Thread(target=_end_with, args=(parents, done), daemon=True).start()
        yield
    finally:
        done.set()
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not try_lock(descriptor, folder):
        if time.monotonic() > deadline:
            raise InputError(f"{folder}: another process is training in this folder; wait for it or end it")
        logging.info("waiting for another process to leave %s", folder)
        time.sleep(1)


def _end_with(parents: list[psutil.Process], done: threading.Event) -> None:
    while not done.wait(1):
        if any(_is_gone(parent) for parent in parents):
            logging.error("the process that started this training is gone; ending")
            os._exit(1)


def _is_gone(process: psutil.Process) -> bool:
    """A zombie counts as gone: it has ended and waits for its own parent to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
