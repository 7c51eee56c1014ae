"""How a job uses the CPU: how many cores, and the environment in which they work well."""

import math
import os

from histopatch.cgroups import Group, groups

# For the environment of a job, before it starts: all are read when the process loads its libraries.
ENVIRONMENT = {
    # A thread that waits for the others soon sleeps. By default it spins for long on a core that other
    # processes could use, and on a busy machine the training loop falls to a fraction of its speed.
    "GOMP_SPINCOUNT": "1000",
    # Keep freed memory. By default glibc gives large tensors back to the system and has every page of
    # the next ones zeroed again, some hundred thousand pages per step.
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}
# In the environment of jobs that run one at a time.
ALONE = "HISTOPATCH_ALONE"


def core_count(workers: str | int, threads: int) -> int:
    """How many cores a job uses: the number asked for, or its share with `auto`.

    threads: the cores that the job is given. A job that runs alone takes all that there are, since
    `--cores 1`, which stands for one job at a time, lowers the threads of every job to 1.
    """
    if workers != "auto":
        return workers
    return available_cores() if os.environ.get(ALONE) == "1" else min(threads, available_cores())


def available_cores() -> int:
    """How many cores this process may use: those that it is bound to, within the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for group in groups("cpu") if (quota := _quota(group)) is not None]
    return min([cores, *(max(1, math.ceil(quota)) for quota in quotas)])


def _quota(group: Group) -> float | None:
    """CPU time per time that a group is given, in cores; None without a limit."""
    if group.version == 2:
        quota, _, period = (group.read("cpu.max") or "max").partition(" ")
    else:
        quota, period = group.read("cpu.cfs_quota_us"), group.read("cpu.cfs_period_us")
    return None if quota in (None, "max", "-1") or not period else int(quota) / int(period)
