"""How a job uses the CPU: how many cores, and the environment in which they work well."""

import os

# For the environment of a job, before it starts: both are read when the process loads its libraries.
ENVIRONMENT = {
    # A thread that waits for the others soon sleeps. By default it spins for long, and takes a core that
    # a busy neighbour has left to none: the loop then trains at a fraction of its speed.
    "GOMP_SPINCOUNT": "1000",
    # Keep freed memory. By default glibc gives large tensors back to the system and has every page of
    # the next ones zeroed again, some hundred thousand pages a step.
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}


def core_count(workers: str | int) -> int:
    """The number asked for, or with `auto` every core that this process may use.

    Snakemake's `threads` is no guide: `--cores 1` lowers it to 1 for a workflow that runs one job at a
    time and has the machine to itself.
    """
    if workers != "auto":
        return workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
