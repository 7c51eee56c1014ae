"""Control groups, which hold a container or a job of a cluster: the files with the limits of this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")


class Group(NamedTuple):
    folder: Path
    version: int  # 1 or 2: the files are called otherwise

    def read(self, name: str) -> str | None:
        """The text of a file of the group; None where it has no such file."""
        try:
            return (self.folder / name).read_text().strip()
        except OSError:
            return None


def groups(controller: str) -> Iterator[Group]:
    """Every group on the way to this process that `controller` (`memory`, `cpu`) may limit.

    A limit of a parent holds for its children. Yields nothing on systems without control groups.
    """
    table = ROOT / "proc/self/cgroup"
    if not table.is_file():
        return
    for line in table.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            version, mount = 2, ROOT / "sys/fs/cgroup"
        elif controller in controllers.split(","):
            version, mount = 1, ROOT / "sys/fs/cgroup" / controller
        else:
            continue
        # Inside a container, the path may be the one outside, while the container's own group is mounted.
        folder = mount / path.lstrip("/")
        for parent in (folder, *folder.parents):
            if parent.is_relative_to(mount):
                yield Group(parent, version)
