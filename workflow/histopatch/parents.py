"""A process that does not outlive those that started it."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence

import psutil

LEVELS = 2  # of a job: its shell, and what runs the shell
POLL_SECONDS = 1.0


@contextlib.contextmanager
def ending_with_parents() -> Iterator[None]:
    """End this process, a job, within a second or two when the workflow that started it is gone.

    After a kill of the workflow its jobs would live on as orphans: beside the next call they take memory and
    the GPU, and write what that one writes, too.
    """
    done = threading.Event()
    parents = psutil.Process().parents()[:LEVELS]
    _watch(parents, done, lambda: logging.error("the process that started this job is gone; ending"))
    try:
        yield
    finally:
        done.set()


def end_with(parent: int) -> None:
    """End this process, a worker, likewise with the process `parent`.

    A forked worker has a copy of both ends of the queue that it waits at, and never sees that nobody writes.
    """
    _watch([psutil.Process(parent)], threading.Event(), lambda: None)


def _watch(parents: Sequence[psutil.Process], done: threading.Event, before_end: Callable[[], None]) -> None:
    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            if any(map(_is_gone, parents)):
                before_end()
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _is_gone(process: psutil.Process) -> bool:
    """A zombie counts as gone: it has ended and waits for its own parent to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
