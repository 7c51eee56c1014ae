"""Which files of a folder are images, and what else is there."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath

from histopatch.errors import InputError

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
KINDS_SHOWN = 5  # kinds of other files that a message names


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for an image; hidden files never are."""
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def list_images(folder: str | Path) -> list[str]:
    """The names of the image files directly in a folder, sorted. Raises InputError if it cannot be listed."""
    return sorted(entry.name for entry in _entries(folder) if is_image_name(entry.name))


def list_files(folder: str | Path) -> set[str]:
    """The names of all files directly in a folder, links to files included; none if there is no folder."""
    if not os.path.isdir(folder):
        return set()
    return {entry.name for entry in _entries(folder) if not entry.is_dir()}


def find_images(root: str | Path) -> list[str]:
    """The paths of the image files anywhere below a folder, relative to it and with `/`, sorted.

    Hidden folders are left out. Links to folders are followed, but not back into a folder that they are in.
    Raises InputError if a folder cannot be listed.
    """
    return sorted(path for path in _find_files(root) if is_image_name(path.rpartition("/")[2]))


def describe_others(root: str | Path, images: Collection[str]) -> str:
    """What lies below a folder besides its images, by kind, each with an example; empty if nothing does.

    images: their paths relative to the folder. Hidden files do not count.
    """
    images, kinds = {*images}, {}
    for path in _find_files(root):
        if path not in images:
            deeper = " in deeper folders" if is_image_name(os.path.basename(path)) else ""
            kinds.setdefault((PurePath(path).suffix.lower() or "no suffix") + deeper, []).append(path)
    most = sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0]))
    shown = [f"{len(paths):,} {kind} (such as {min(paths)!r})" for kind, paths in most[:KINDS_SHOWN]]
    rest = sum(len(paths) for _, paths in most[KINDS_SHOWN:])
    return ", ".join([*shown, *([f"{rest:,} others"] if rest else [])])


def _find_files(
    root: str | Path, below: str = "", above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[str]:
    """The paths of all files below a folder, relative to it, without those that are hidden.

    below: the folder that is walked, empty or with `/` at its end; above: the folders that it is in.
    """
    folder = os.path.join(root, below)
    here = (os.stat(folder).st_dev, os.stat(folder).st_ino)
    if here in above:
        return
    for entry in _entries(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _find_files(root, f"{below}{entry.name}/", above | {here})
        else:
            yield below + entry.name


def _entries(folder: str | Path) -> Iterator[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from None
