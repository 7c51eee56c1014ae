"""List what an earlier configuration left in the results of an experiment, and remove it with --remove."""

import shutil
import sys
from pathlib import Path

from experiment import parse

from histopatch.disk import obsolete, size, states

if __name__ == "__main__":
    request = parse(
        __doc__,
        remove="remove what is listed",
        states="list what interrupted work and stopped trainings go on from, too, which then start anew",
    )
    lock = Path(".snakemake/histopatch.lock")
    if request.arguments.remove and lock.exists():
        from histopatch.locks import try_lock  # not before the system is known to have any

        held = lock.open("r+")  # until this process ends
        if not try_lock(held, lock):
            sys.exit("Error: snakemake is at work in this folder; wait for it before anything is removed")
    found = obsolete(request.experiment, request.results)
    if request.arguments.states:
        found += [state for state in states(request.results) if not {*state.parents} & {*found}]
    for path in found:
        print(f"{path}  {size(path) / 1e6:.1f} MB")
        if request.arguments.remove:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    if not found:
        print(f"Nothing to remove: the configuration of {request.name} names all of its results.")
    elif request.arguments.remove:
        print(f"Removed {len(found)}.")
    else:
        told = " STATES=1" if request.arguments.states else ""
        print(f"{len(found)} in all. To remove them: make prune{request.for_make}{told} REMOVE=1")
