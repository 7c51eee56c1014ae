"""Processing in chunks, in several processes, so that a pack never has to fit in memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from histopatch.console import progress


def map_chunks(pool: ProcessPoolExecutor, function: Callable, items, size: int, what: str) -> Iterator:
    """Yield the results of a function of each chunk of items (an array or a table), in order.

    size: items per chunk; what: the label of the progress bar.
    """
    chunks = (items[start : start + size] for start in range(0, len(items), size))
    with progress(total=len(items), desc=what) as bar:
        for result in pool.map(function, chunks):
            bar.update(min(size, len(items) - bar.n))
            yield result
