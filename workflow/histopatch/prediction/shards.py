"""Shards: the patches that one job predicts. A shard never changes, whatever comes, goes or changes.

A patch that is new, or whose file has changed, goes to a new shard; so only those are predicted, and what is
finished stays.
"""

from pathlib import Path

import pandas as pd

from histopatch.files import read_table, write_table

MOST = 2048  # patches
MOST_BYTES = 2**28  # of their pixels, which a job has in memory
KEY = ["id", "file", "row", "bytes", "modified"]  # what makes a patch the same as before


def assign(out: str, patches: pd.DataFrame, size: int) -> pd.DataFrame:
    """The patches with the `shard` of each, as `input.csv` and `shards/<shard>.input.csv` list them, too.

    out: the folder of the results; patches: as `list_patches` returns them; size: height and width of a
    patch in pixels.
    """
    folder = Path(out, "shards")
    files = folder.glob("[0-9]*.input.csv")  # a process that was killed may have left hidden ones
    known = {int(path.name.partition(".")[0]): read_table(path)[KEY] for path in files}
    parts = [part.assign(shard=number) for number, part in sorted(known.items())]
    if parts:
        # Of two that list the same patch, the later one.
        together = pd.concat(parts).drop_duplicates(KEY, keep="last")
        patches = patches.merge(together, on=KEY, how="left", validate="one_to_one")
    else:
        patches = patches.assign(shard=None)
    most = max(1, min(MOST, MOST_BYTES // (3 * size**2)))
    new = patches.index[patches.shard.isna()]
    for number, start in enumerate(range(0, len(new), most), max(known, default=-1) + 1):
        part = new[start : start + most]
        patches.loc[part, "shard"] = number
        write_table(patches.loc[part, KEY], folder / f"{number}.input.csv")
    patches = patches.astype({"shard": "int64"})
    _write_if_changed(patches, Path(out, "input.csv"))
    return patches


def _write_if_changed(patches: pd.DataFrame, path: Path) -> None:
    """Write the table, unless it is there: its time says when the input changed."""
    temporary = path.with_name(f".{path.name}")
    write_table(patches, temporary)
    if path.is_file() and path.read_bytes() == temporary.read_bytes():
        temporary.unlink()
    else:
        temporary.replace(path)
