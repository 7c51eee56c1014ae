"""Finished parts of long work, which outlive a kill: the next attempt makes only what is missing."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histopatch.files import replacing

MADE_FROM = "made_from"


@dataclass(frozen=True)
class Parts:
    folder: Path

    def array(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The part of this name, which is kept from now on; `make` is called only where there is none."""
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            with replacing(path) as temporary, open(temporary, "wb") as file:
                np.save(file, make())
        return np.load(path)


@contextlib.contextmanager
def kept_parts(result: str | Path, facts: Iterable[object]) -> Iterator[Parts]:
    """A folder beside the file `result` for parts of it; removed when the block ends without an error.

    facts: all that the parts depend on, with a `repr` that tells it. Parts of other facts are removed.
    """
    result, digest = Path(result), hashlib.sha256()
    for fact in facts:
        digest.update(f"{fact!r}\n".encode(errors="surrogateescape"))
    folder = result.with_name(f".{result.name}.parts")
    made_from = folder / MADE_FROM
    if not made_from.is_file() or made_from.read_text() != digest.hexdigest():
        if folder.exists():
            shutil.rmtree(folder)
        with replacing(made_from) as temporary:
            temporary.write_text(digest.hexdigest())
    try:
        yield Parts(folder)
    except OSError as error:
        error.filename = error.filename or str(result)  # a write to a full disk does not say where
        raise
    shutil.rmtree(folder)


def file_facts(paths: Iterable[str | Path]) -> Iterator[tuple]:
    """What tells a file from another and from an edited one: its path, size and time of writing."""
    for path in paths:
        try:
            stat = os.stat(path)
            yield str(path), stat.st_size, stat.st_mtime_ns
        except OSError:
            yield (str(path),)
