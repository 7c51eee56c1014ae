"""The errors that are the user's to mend, each of which prints one line."""

import errno

# What a system call reports of a full disk, of rights and of a disk that fails. Any other code is a fault of
# the program or of something that needs a closer look, and keeps its traceback.
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}


class InputError(ValueError):
    """Something that the user gave is wrong.

    The message is one line that names the key, the file or the row, and says what to do.
    """


def one_line(error: BaseException) -> str | None:
    """The line that says what the user has to mend; None for an error that is not theirs."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        return f"{error.filename or 'a file'}: {error.strerror}; mend that and run the same command again"
    return None
