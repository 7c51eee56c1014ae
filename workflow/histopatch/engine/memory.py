"""How much memory a process may still take: what the machine has free, within the limits of its container."""

import psutil

from histopatch.cgroups import Group, groups

# Limit, usage and, in memory.stat, the page cache that is given up when memory is needed; by version.
NAMES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}


def available_bytes() -> int:
    """Free memory of the machine, or of the tightest cgroup (a container, a Slurm job) that we are in."""
    rooms = [room for group in groups("memory") if (room := _room(group)) is not None]
    return min([psutil.virtual_memory().available, *rooms])


def _room(group: Group) -> int | None:
    """Limit less usage; None without a limit. The page cache counts as used."""
    limit_name, usage_name, cache_name = NAMES[group.version]
    limit, usage, stat = (group.read(name) for name in (limit_name, usage_name, "memory.stat"))
    if limit in (None, "max") or usage is None or stat is None:
        return None
    cache = dict(line.split() for line in stat.splitlines()).get(cache_name, 0)
    return max(int(limit) - int(usage) + int(cache), 0)
