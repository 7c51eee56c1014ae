"""One job per GPU: a job holds the locks of the GPUs that it uses, and waits while too many are taken."""

import contextlib
import itertools
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from histopatch.locks import alone, open_lock, try_lock

POLL_SECONDS = 1.0


@contextlib.contextmanager
def free_gpus(keys: Sequence[str], count: int = 1, folder: Path | None = None) -> Iterator[list[int]]:
    """Hold as many of the GPUs that no other job of this user holds; yields their places in `keys`.

    keys: what tells the physical devices apart, the same in every process whatever it calls them; count: at
    most as many; folder: where the lock files are, one per device. A lock dies with its process, however that
    ends. All are taken at once or none, and one job at a time looks for them, so that no two jobs hold a part
    of what the other waits for.
    """
    folder = folder or Path(tempfile.gettempdir(), f"histopatch-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = False
    while True:
        with contextlib.ExitStack() as held:
            with alone(folder):
                files = [held.enter_context(open_lock(folder / key)) for key in keys]
                unlocked = (place for place, file in enumerate(files) if try_lock(file, file.name))
                free = list(itertools.islice(unlocked, count))
            if len(free) == count:
                yield free
                return
        if not waiting:
            wanted = "a GPU" if count == 1 else f"{count} GPUs"
            taken = "too many" if count > 1 else "all" if len(keys) > 1 else "it"
            logging.info("waiting for %s: other jobs hold %s", wanted, taken)
            waiting = True
        time.sleep(POLL_SECONDS)
