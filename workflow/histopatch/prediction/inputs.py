"""The patches of an input, listed with what tells whether a file has changed since."""

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from histopatch.data.arrays import PatchArrays
from histopatch.data.images import ImageFiles, check_there_are_some
from histopatch.data.labels import known_labels
from histopatch.data.listing import find_images
from histopatch.data.names import quote, writable
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError
from histopatch.prediction.request import Request

ARRAY = "x"  # of an HDF5 file, as PatchCamelyon calls it
NO_ROW = -1  # of an image file, which is no row of an array
ABSENT = (-1, -1)  # size and time of a file that is not there
PATHS = ("path", "file", "image")  # what the column with the paths may be called


def list_patches(request: Request) -> pd.DataFrame:
    """Each patch of the input: `id,file,row,bytes,modified`, and `label` where a table has labels.

    `file` is relative to the root of the request; `row` is the row of an array, -1 for an image file;
    `bytes` and `modified` (ns) are those of the file, -1 where there is none; `label` is 0, 1 or empty.
    Raises InputError where the input holds no patches, or cannot be read as what it is.
    """
    return {"folder": _list_folder, "table": _list_table, "hdf5": _list_array}[request.kind](request)


def _list_folder(request: Request) -> pd.DataFrame:
    files = find_images(request.root)
    check_there_are_some(ImageFiles(request.root, files, files))
    return _stamped(request.root, pd.DataFrame({"id": files, "file": files, "row": NO_ROW}))


def _list_table(request: Request) -> pd.DataFrame:
    columns = {
        "id": Column("the first line", PATHS),
        "label": Column("the first line", ["label"], required=False),
    }
    rows = read_columns(request.input, columns)
    rows = rows[rows.id != ""].drop_duplicates([*{"id", "label"} & {*rows}])
    if rows.empty:
        raise InputError(f"{request.input}: there are no paths in the table")
    if len(twice := rows[rows.id.duplicated()]):
        raise InputError(
            f"{request.input}: line {twice.row.iloc[0]}: {quote(twice.id.iloc[0])} stands above with another "
            "label; keep one of them"
        )
    listed = _stamped(request.root, pd.DataFrame({"id": rows.id, "file": rows.id, "row": NO_ROW}))
    return listed.assign(label=known_labels(rows, request.input)) if "label" in rows else listed


def _list_array(request: Request) -> pd.DataFrame:
    size, name = request.description["patch_size"], Path(request.input).name
    one = PatchArrays(request.root, ["0"], [name], np.zeros(1, int), ARRAY)
    if (found := one.size(0)) != (size, size):
        width, height = found
        raise InputError(
            f"{request.input}: its patches have {width}×{height} px; the model takes {size}×{size}"
        )
    with h5py.File(request.input) as file:
        count = len(file[ARRAY])
    if not count:
        raise InputError(f"{request.input}: there are no patches in it")
    ids = [f"{row:06d}" for row in range(count)]
    return _stamped(request.root, pd.DataFrame({"id": ids, "file": name, "row": range(count)}))


def _stamped(root: str, patches: pd.DataFrame) -> pd.DataFrame:
    """The patches with `bytes` and `modified` of their files; names as they can be written."""
    files = patches.file.drop_duplicates()
    stamps = pd.DataFrame([_stamp(root, file) for file in files], files, ["bytes", "modified"], dtype="int64")
    stamped = patches.reset_index(drop=True).join(stamps, on="file")
    return stamped.assign(id=stamped.id.map(writable), file=stamped.file.map(writable))


def _stamp(root: str, file: str) -> tuple[int, int]:
    with contextlib.suppress(OSError, ValueError):  # which say later why the file cannot be read
        status = os.stat(os.path.join(root, file))
        return status.st_size, status.st_mtime_ns
    return ABSENT
