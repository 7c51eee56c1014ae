"""The operating systems that this runs on, and where they differ."""

import sys

from histopatch.errors import InputError


def check_system() -> None:
    """Raise InputError on Windows, which has neither the file locks nor the signals that jobs rely on."""
    if sys.platform == "win32":
        raise InputError("histopatch needs Linux or macOS; on Windows, install it inside WSL 2")


def peak_memory_bytes() -> int:
    """The most memory that this process has had at a time."""
    import resource  # Windows lacks it, and is refused by this module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
