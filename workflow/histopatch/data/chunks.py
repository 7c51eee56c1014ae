"""Processing in chunks, in several processes, so that a pack never has to fit in memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from histopatch.console import progress

CHUNK_BYTES = 256 * 3 * 96**2  # pixels that a process has in memory at a time: 7 MB


def chunk_size(most: int, image_bytes: int) -> int:
    """How many images make a chunk: at most so many, and no more than CHUNK_BYTES."""
    return max(1, min(most, CHUNK_BYTES // image_bytes))


def map_chunks(pool: ProcessPoolExecutor, function: Callable, items, size: int, what: str) -> Iterator:
    """Yield the results of a function of each chunk of items (an array or a table), in order.

    size: items per chunk; what: the label of the progress bar.
    """
    chunks = (items[start : start + size] for start in range(0, len(items), size))
    with progress(total=len(items), desc=what) as bar:
        for result in pool.map(function, chunks):
            bar.update(min(size, len(items) - bar.n))
            yield result
