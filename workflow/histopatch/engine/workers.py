"""Starting the processes that train beside the first one, and ending them with it.

They are started as commands: a process that has used a GPU cannot be forked, and what `multiprocessing`
spawns runs the script of the job once more.
"""

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch
import torch.distributed as dist

from histopatch import parents
from histopatch.engine.processes import ALONE, Group, Processes
from histopatch.errors import InputError, RunError, one_line

# The status of a worker whose last line says what the user has to mend: of the run, or of what else there is.
OF_THE_RUN, MENDABLE = 4, 3
POLL_SECONDS = 1.0
GRACE = 10.0  # seconds in which the first process may find out by itself
LIBRARY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Place:
    """Where a process stands among the others."""

    rank: int
    count: int
    device: str
    meeting: str  # a file through which they find each other
    first: int  # the number of the first process


@dataclass
class Worker:
    place: Place
    process: subprocess.Popen
    said: IO[bytes]  # its standard error, a file

    def fault(self) -> Exception | None:
        """Why it has ended, unless it goes on or has done its part."""
        if not self.process.poll():
            return None
        self.said.seek(0)
        text = self.said.read().decode(errors="replace").strip()
        if error := {OF_THE_RUN: RunError, MENDABLE: InputError}.get(self.process.returncode):
            return error(text.splitlines()[-1])
        number, status = f"{self.place.rank + 1} of {self.place.count}", self.process.returncode
        return RuntimeError(f"process {number} has ended with status {status}\n{text}")


@contextlib.contextmanager
def together(devices: Sequence[torch.device], module: str, work: Mapping) -> Iterator[Processes]:
    """Be the first of as many processes as there are devices, which end when this one leaves.

    module: what the others run as a command, in which it calls `serve`; work: what they are told there,
    values to be pickled. Raises what ended one of them. With one device there are no others.
    """
    if len(devices) == 1:
        yield ALONE
        return
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as started:
        first, *others = [
            Place(rank, len(devices), str(device), f"{folder}/meeting", os.getpid())
            for rank, device in enumerate(devices)
        ]
        workers = [started.enter_context(_started(place, module, work)) for place in others]
        started.callback(over.set)
        threading.Thread(target=_watch, args=(workers, over), daemon=True).start()
        try:
            with _joined(first) as processes:
                yield processes
        except RuntimeError as error:  # such as a lost connection
            time.sleep(POLL_SECONDS)
            fault = next(filter(None, (worker.fault() for worker in workers)), None)
            if fault is None:
                raise
            raise fault from error


def serve(work: Callable[..., None]) -> None:
    """Be a worker that `together` has started: `work(processes, device, **told)`."""
    place, told = pickle.load(sys.stdin.buffer)
    parents.end_with(place.first)
    try:
        with _joined(place) as processes:
            work(processes, torch.device(place.device), **told)
    except Exception as error:
        traceback.print_exc()
        if line := one_line(error):
            print(line, file=sys.stderr)
        sys.stderr.flush()
        os._exit(OF_THE_RUN if isinstance(error, RunError) else MENDABLE if line else 1)


@contextlib.contextmanager
def _started(place: Place, module: str, work: Mapping) -> Iterator[Worker]:
    paths = os.pathsep.join([str(LIBRARY), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE, stdout=said, stderr=said,
            env=os.environ | {"PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C reaches it through the first process only
        )  # fmt: skip
        try:
            with contextlib.suppress(BrokenPipeError):  # its status says why
                pickle.dump((place, dict(work)), process.stdin)
                process.stdin.close()
            yield Worker(place, process, said)
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _joined(place: Place) -> Iterator[Group]:
    device = torch.device(place.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{place.meeting}", rank=place.rank, world_size=place.count,
    )  # fmt: skip
    try:
        yield Group()
        dist.barrier()  # nobody leaves while others have something to hear
    finally:
        dist.destroy_process_group()


def _watch(workers: Sequence[Worker], over: threading.Event) -> None:
    """End this process if a worker has ended and this one does not notice: on a GPU it waits for ever."""
    while not over.wait(POLL_SECONDS):
        for worker in workers:
            if worker.process.poll() and not over.wait(GRACE):
                logging.error("%s", worker.fault())
                os._exit(1)
