"""Locks on open files, which die with their process, and file systems that have none."""

import contextlib
import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.2

# Lustre without its option `flock`, FUSE and network file systems. EBADF is NFS, whose locks
# need a file that is open for writing, which a folder never is.
WITHOUT_LOCKS = {
    errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOTTY, errno.EBADF,
}  # fmt: skip


def try_lock(file: IO | int, name: object, warn: Callable[[str], None] = logging.warning) -> bool:
    """Whether this process has the lock of an open file or folder now; does not wait for it.

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
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        while not try_lock(descriptor, folder):
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
