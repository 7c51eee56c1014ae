"""Which files of a folder are images, and what else is there."""

import os
from collections.abc import Collection
from pathlib import Path, PurePath

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
KINDS_SHOWN = 5  # kinds of other files that a message names


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for an image; hidden files never are."""
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def list_images(folder: str | Path) -> list[str]:
    """The names of the image files directly in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if is_image_name(entry.name))


def find_images(root: str | Path) -> list[str]:
    """The paths of the image files anywhere below a folder, relative to it, sorted."""
    return sorted(path for path in _find_files(root) if is_image_name(os.path.basename(path)))


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
    shown = [f"{len(paths):,} {kind} (such as {min(paths)!a})" for kind, paths in most[:KINDS_SHOWN]]
    rest = sum(len(paths) for _, paths in most[KINDS_SHOWN:])
    return ", ".join([*shown, *([f"{rest:,} others"] if rest else [])])


def _find_files(root: str | Path) -> list[str]:
    """The paths of all files below a folder, relative to it, without those that are hidden."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(folder, root)
        inside = "" if below == "." else f"{below}/"
        found += [inside + name for name in names if not name.startswith(".")]
    return found
