"""The errors that are the user's to mend, each of which prints one line."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

# What a system call reports of a full disk, of rights and of a disk that fails. Any other code is a fault of
# the program or of something that needs a closer look, and keeps its traceback.
OF_A_LOST_DISK = {errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN}
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS} | OF_A_LOST_DISK


class InputError(ValueError):
    """Something that the user gave is wrong.

    The message is one line that names the key, the file or the row, and says what to do.
    """


class RunError(InputError):
    """A run that cannot succeed as it is configured: it diverges, lacks memory, or its weights do not fit."""


def check_writable(folders: Iterable[str | Path]) -> None:
    """Raise InputError for a folder in which nothing can be written; of one that is to be made, where."""
    for folder in map(Path, folders):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise InputError(
                f"{there}: nothing can be written here (a read-only file system, or another user's folder); "
                "fix that, or work on a copy elsewhere"
            )


def one_line(error: BaseException) -> str | None:
    """The line that says what the user has to mend; None for an error that is not theirs."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        return f"{error.filename or 'a file'}: {error.strerror}; fix that and run the same command again"
    if isinstance(error, MemoryError):
        return (
            f"out of memory ({str(error) or 'no more is given'}); end other programs, or lower "
            "runtime.workers or batch_size, and run the same command again"
        )
    return None
