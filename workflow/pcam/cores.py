"""How many CPU cores a job uses."""

import os


def core_count(workers: str | int) -> int:
    """The number asked for, or with `auto` every core that this process may use.

    Snakemake's `threads` is no guide: `--cores 1` lowers it to 1 for a workflow that runs one job at a
    time and has the machine to itself.
    """
    if workers != "auto":
        return workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
