"""Locks on open files, which die with their process, and file systems that have none."""

import errno
import fcntl
import logging
from collections.abc import Callable
from typing import IO

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
