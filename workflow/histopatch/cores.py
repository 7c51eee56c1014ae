"""How a job uses the CPU: how many cores, and the environment in which they work well."""

import os

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
    return available_cores() if os.environ.get(ALONE) == "1" else threads


def available_cores() -> int:
    """Every core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
