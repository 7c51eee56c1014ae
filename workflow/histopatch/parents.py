"""A process that does not outlive those that started it."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence

import psutil

# In the environment of a job: the number of the process that runs the workflow.
WORKFLOW = "HISTOPATCH_WORKFLOW"
POLL_SECONDS = 1.0


@contextlib.contextmanager
def ending_with_parents() -> Iterator[None]:
    """End this process, a job, within a second or two when the workflow that started it is gone.

    After a kill of the workflow its jobs would live on as orphans: beside the next call they take memory and
    the GPU, and write what that one writes, too. What started the workflow, such as a terminal, may go. A
    process that no workflow started goes on.
    """
    done = threading.Event()
    if workflow := os.environ.get(WORKFLOW):
        parents = _up_to(int(workflow))
        _watch(parents, done, _say_why)
    try:
        yield
    finally:
        done.set()


def end_with(parent: int) -> None:
    """End this process, a worker, likewise with the process `parent`.

    A forked worker has a copy of both ends of the queue that it waits at, and never sees that nobody writes.
    """
    _watch([psutil.Process(parent)], threading.Event(), lambda: None)


def _say_why() -> None:
    logging.error("the workflow that started this job is gone; ending")


def _up_to(workflow: int) -> list[psutil.Process] | None:
    """What is between this process and the workflow, and the workflow; None if that has ended already."""
    parents = psutil.Process().parents()
    numbers = [parent.pid for parent in parents]
    return parents[: numbers.index(workflow) + 1] if workflow in numbers else None


def _watch(
    parents: Sequence[psutil.Process] | None, done: threading.Event, before_end: Callable[[], None]
) -> None:
    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            if parents is None or any(map(_is_gone, parents)):
                before_end()
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _is_gone(process: psutil.Process) -> bool:
    """A zombie counts as gone: it has ended and waits for its own parent to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
