"""How much memory a process may still take, and how it gives back what it no longer needs.

What it may take is what the machine has free, within the limits of its container.
"""

import contextlib
import ctypes
from collections.abc import Iterator

import psutil

from histopatch.cgroups import Group, groups

# Limit, usage and, in memory.stat, the page cache, which is given up when memory is needed, by version. The
# cache is `active` where it was read more than once, as a pack is.
NAMES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
    2: ("memory.max", "memory.current", ("inactive_file", "active_file")),
}


def available_bytes() -> int:
    """Free memory of the machine, or of the tightest cgroup (a container, a Slurm job) that we are in."""
    rooms = [room for group in groups("memory") if (room := _room(group)) is not None]
    return min([psutil.virtual_memory().available, *rooms])


@contextlib.contextmanager
def giving_back_memory() -> Iterator[None]:
    """Give freed memory back to the system before and after a kind of work, such as evaluation.

    A job keeps what it frees (`cores.ENVIRONMENT`), and the pieces that training freed are of the wrong sizes
    for evaluation, so the memory of both would add up. Other C libraries than glibc have no such call.
    """
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda kept: None)
    give_back(0)
    try:
        yield
    finally:
        give_back(0)


def _room(group: Group) -> int | None:
    """Limit less usage; None without a limit. The page cache counts as used."""
    limit_name, usage_name, cache_names = NAMES[group.version]
    limit, usage, stat = (group.read(name) for name in (limit_name, usage_name, "memory.stat"))
    if limit in (None, "max") or usage is None or stat is None:
        return None
    counts = dict(line.split() for line in stat.splitlines())
    cache = sum(int(counts.get(name, 0)) for name in cache_names)
    return max(int(limit) - int(usage) + cache, 0)
