"""Processes that share the work of a step."""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from histopatch.errors import InputError
from histopatch.parents import end_with


@contextlib.contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, which may call functions of modules, but none of the main program.

    Processes are forked on Linux, unless the program has set a start method: that is fastest, while macOS's
    own libraries do not bear it. Processes that start afresh would run the main program again, which may be
    a script that packs images as soon as it is run: they are told of no main program, so a script needs no
    guard. They end with the process that started them. Raises InputError where one of them is killed.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    if method is None and sys.platform == "linux":
        method = "fork"
    context = multiprocessing.get_context(method)
    with _no_main_program(), ProcessPoolExecutor(workers, context, end_with, (os.getpid(),)) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise InputError(
                f"one of {workers} processes that share the work was ended from outside; memory may have run "
                "out: set runtime.workers to less"
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)  # what is left to do would delay the end
            raise


@contextlib.contextmanager
def _no_main_program() -> Iterator[None]:
    """Hide where the main program is from `multiprocessing`, which looks there when it starts a process."""
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__[name] for name in ("__file__", "__spec__") if name in main.__dict__}
    main.__dict__.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        main.__dict__.update(hidden)
