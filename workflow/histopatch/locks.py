"""Locks of files, which die with their process, and file systems that have none."""

import contextlib
import errno
import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.2
LOCK = ".lock"  # the name of the file whose lock is that of its folder

# Lustre without its option `flock`, FUSE and some network file systems.
WITHOUT_LOCKS = {
    errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY,
}  # fmt: skip


def open_lock(path: Path) -> IO:
    """The file at `path`, to be locked; its folder is made if need be.

    It is open for writing, without which NFS locks nothing, and stays there: if it were removed, who waits
    for it and who comes later would lock two files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "a")


def try_lock(file: IO, name: object, warn: Callable[[str], None] = logging.warning) -> bool:
    """Whether this process has the lock of a file of `open_lock` now; does not wait for it.

    name: what the warning calls the file. Where the file system has no locks the answer is yes, with a
    warning: then nothing keeps a second process out.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        warn(f"{name}: no locks on this file system ({error.strerror}); never start the same work twice")
    return True


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if need be; waits while another process has it."""
    with open_lock(folder / LOCK) as file:
        while not try_lock(file, folder):
            time.sleep(POLL_SECONDS)
        yield
