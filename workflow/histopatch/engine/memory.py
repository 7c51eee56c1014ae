"""How much memory a process may still take: what the machine has free, within the limits of its container."""

from pathlib import Path

import psutil

ROOT = Path("/")


def available_bytes() -> int:
    """Free memory of the machine, or of the tightest cgroup (a container, a Slurm job) that we are in."""
    return min([psutil.virtual_memory().available, *_cgroup_room()])


def _cgroup_room() -> list[int]:
    """What each cgroup on the way to this process leaves; a limit of a parent holds for its children."""
    table = ROOT / "proc/self/cgroup"
    if not table.is_file():
        return []
    room = []
    for line in table.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            names, mount = ("memory.max", "memory.current", "inactive_file"), ROOT / "sys/fs/cgroup"
        elif "memory" in controllers.split(","):  # version 1
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            mount = ROOT / "sys/fs/cgroup/memory"
        else:
            continue
        # Inside a container, the path may be the one outside, while the container's own group is mounted.
        folder = mount / path.lstrip("/")
        groups = [group for group in (folder, *folder.parents) if group.is_relative_to(mount)]
        room += [left for group in groups if (left := _room(group, *names)) is not None]
    return room


def _room(group: Path, limit_name: str, usage_name: str, cache_name: str) -> int | None:
    """Limit less usage; None without a limit. The page cache counts as used, but is given up when needed."""
    try:
        limit, usage = (group / limit_name).read_text().strip(), (group / usage_name).read_text()
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    return None if limit == "max" else max(int(limit) - int(usage) + int(stat.get(cache_name, 0)), 0)
