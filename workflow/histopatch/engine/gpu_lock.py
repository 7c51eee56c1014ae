"""One job per GPU: a job holds the lock of the GPU that it uses, and waits while all are taken."""

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from histopatch.locks import try_lock

POLL_SECONDS = 1.0


@contextlib.contextmanager
def free_gpu(keys: Sequence[str], folder: Path | None = None) -> Iterator[int]:
    """Hold one of the GPUs that no other job of this user holds; yields its place in `keys`.

    keys: what tells the physical devices apart, the same in every process whatever it calls them; folder:
    where the lock files are, one per device. A lock dies with its process, however that ends.
    """
    folder = folder or Path(tempfile.gettempdir(), f"histopatch-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = False
    with contextlib.ExitStack() as held:
        files = [held.enter_context(open(folder / key, "w")) for key in keys]
        while (index := next((i for i, file in enumerate(files) if try_lock(file, file.name)), None)) is None:
            if not waiting:
                logging.info("waiting for a GPU: other jobs hold %s", "it" if len(keys) == 1 else "all")
                waiting = True
            time.sleep(POLL_SECONDS)
        yield index
