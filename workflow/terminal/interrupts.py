"""Ctrl-C: the workflow ends its jobs, instead of each of them breaking off with a traceback."""

import contextlib
import signal
import threading
from collections.abc import Callable

import psutil
from snakemake.shell import shell

PATIENCE = 5.0  # seconds in which jobs may clean up


def handle_interrupts(say: Callable[[], None]) -> None:
    """End the jobs on the first Ctrl-C, kill them on the second; `say` is called once, before.

    A terminal sends Ctrl-C to the jobs, too; they are told to ignore it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # a shell starts what runs in the background so that it ignores Ctrl-C
    strict = "set -euo pipefail; " if (shell.get_executable() or "").endswith("bash") else ""  # as by default
    shell.prefix(f"{strict}trap '' INT; ")
    presses = 0

    def interrupted(number, frame) -> None:
        nonlocal presses
        presses += 1
        shells, jobs = _processes()
        if presses > 1:
            _kill(shells + jobs)
            return
        say()
        for job in jobs:
            with contextlib.suppress(psutil.NoSuchProcess):
                job.terminate()
        threading.Thread(target=_kill_after, args=(shells + jobs,), daemon=True).start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)


def _processes() -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The shells that run the jobs, and the jobs with all their processes."""
    shells, jobs = [], []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            below = child.children(recursive=True)
            (shells if below else jobs).append(child)
            jobs += below
    return shells, jobs


def _kill_after(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    _kill(alive)


def _kill(processes: list[psutil.Process]) -> None:
    """Shells come first: one that sees its job killed says so."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
