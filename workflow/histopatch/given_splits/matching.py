"""Which image each name in somebody's table means, whatever folder their paths start from."""

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from histopatch.data.names import SUFFIX, quote
from histopatch.errors import InputError


def match_images(names: pd.Series, images: Sequence[str], where: str) -> pd.Series:
    """The image of each name; an empty text where there is none.

    A name is the path of an image or the end of one, with or without the suffix; folders that all names begin
    with need not be there. images: paths below a folder; where: what the names are from, for messages. Raises
    InputError for a name that several images have.
    """
    plain = names.map(lambda name: posixpath.normpath(name.replace("\\", "/")))
    whole, ends = set(images), _ends(images)
    levels = zip(*(name.split("/")[:-1] for name in plain), strict=False)
    shared = sum(1 for _ in itertools.takewhile(lambda folders: len({*folders}) == 1, levels))
    found = pd.Series("", names.index, dtype=str)
    for dropped in range(shared + 1):
        shorter = [name.split("/", dropped)[-1] for name in plain]
        found[:] = [name if name in whole else _only(ends.get(name, ""), name, where) for name in shorter]
        if (found != "").any():
            break
    return found


def _ends(images: Iterable[str]) -> dict[str, str | tuple[str, str]]:
    """The image of each end of a path, with and without its suffix; of several images two."""
    ends: dict[str, str | tuple[str, str]] = {}
    for image in images:
        for end in _ends_of(image):
            known = ends.setdefault(end, image)
            if known != image and isinstance(known, str):
                ends[end] = (known, image)
    return ends


def _ends_of(image: str) -> Iterator[str]:
    parts = image.split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        yield from {end, SUFFIX.sub("", end)}


def _only(image: str | tuple[str, str], name: str, where: str) -> str:
    if isinstance(image, str):
        return image
    first, second = map(quote, image)
    raise InputError(f"{where}: {quote(name)} may be {first} or {second}; write the path of each image")
