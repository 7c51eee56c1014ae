"""A pack worked through a chunk at a time in several processes, so that it is never in memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from histopatch.console import progress


def map_chunks(pool: ProcessPoolExecutor, function: Callable, items, size: int, what: str) -> Iterator:
    """The results of a function over chunks of items (an array or a table), in order."""
    chunks = (items[start : start + size] for start in range(0, len(items), size))
    with progress(total=len(items), desc=what) as bar:
        for result in pool.map(function, chunks):
            bar.update(min(size, len(items) - bar.n))
            yield result
