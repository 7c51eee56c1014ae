"""Reading ahead: the next piece is read while the last one is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item, Piece = TypeVar("Item"), TypeVar("Piece")


def read_ahead(read: Callable[[Item], Piece], items: Iterable[Item]) -> Iterator[Piece]:
    """Yield what is read of each item, in order; one thread reads the next while the caller has the last."""
    with ThreadPoolExecutor(1) as reader:
        ahead = None
        for item in items:
            following = reader.submit(read, item)
            if ahead is not None:
                yield ahead.result()
            ahead = following
        if ahead is not None:
            yield ahead.result()
