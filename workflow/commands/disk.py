"""List what the results of an experiment take on disk."""

from experiment import parse

from histopatch.disk import obsolete, size, usage

if __name__ == "__main__":
    request = parse(__doc__)
    sizes = usage(request.results)
    for kind, taken in sizes.items():
        if taken:
            print(f"{taken / 1e6:10,.1f} MB  {kind}")
    print(f"{sum(sizes.values()) / 1e6:10,.1f} MB  {request.results}, all of it")
    if left := sum(map(size, obsolete(request.experiment, request.results))):
        print(
            f"Of this an earlier configuration left {left / 1e6:,.1f} MB. "
            f"To list it: make prune{request.for_make}"
        )
