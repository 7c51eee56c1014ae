"""PatchCamelyon's own files: three parts of patches in HDF5, with labels and, where present, slides."""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import h5py
import numpy as np
import pandas as pd

from histopatch.data.arrays import PatchArrays
from histopatch.data.folds import HELD_OUT_PART, TRAIN_PART, VALIDATION_PART
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError

# The published parts by what the official split does with them.
PARTS = {"train": TRAIN_PART, "valid": VALIDATION_PART, "test": HELD_OUT_PART}
PATCH_SIZE = 96
MOST_LABELS = 2**26  # in one file, and bytes of it unpacked; what says that it has more is damaged


@dataclass(frozen=True)
class PCam:
    """`camelyonpatch_level_2_split_{train,valid,test}_{x,y}.h5`, or `.h5.gz`, and perhaps `…_meta.csv`.

    An id is the published part and the row there. All patches have labels, so none are left to predict.
    """

    name: ClassVar = "pcam"
    required: ClassVar = {"root": "the folder with PatchCamelyon's files"}
    optional: ClassVar = ("patch_size",)
    uses: ClassVar = {"images": ("root",), "labels": ("root",), "slides": ("root",)}
    recipe: ClassVar = None
    gives_held_out: ClassVar = True
    sample_submission: ClassVar = None
    parts: ClassVar = ("train",)

    root: str
    patch_size: int | str = PATCH_SIZE

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        # The shape in a compressed file is known only after it is unpacked; the published one is taken.
        size = dataset["patch_size"]
        return cls(dataset["root"], PATCH_SIZE if size == "auto" else size)

    @classmethod
    def gives_parts(cls, dataset: dict) -> bool:
        return True

    @property
    def where(self) -> str:
        return self.root

    def files(self, purpose: str) -> list[str]:
        # The number of patches is taken from the labels, so that nothing has to be unpacked for it; but an
        # edit of a label packs nothing again.
        if purpose == "images":
            return [self._arrays(part, "x") for part in PARTS]
        labels = [self._arrays(part, "y") for part in PARTS]
        return labels if purpose == "labels" else [*labels, *self._metas.values()]

    def images(self, part: str) -> PatchArrays:
        files = [
            name
            for known, ids in self._ids.items()
            for name in [Path(self._arrays(known, "x")).name] * len(ids)
        ]
        rows = np.concatenate([np.arange(len(ids)) for ids in self._ids.values()])
        return PatchArrays(self.root, self._all_ids, files, rows, "x")

    def labels(self) -> Iterator[pd.DataFrame]:
        rows = np.concatenate([np.arange(len(ids)) for ids in self._ids.values()])
        values = np.concatenate([*self._values.values()])
        yield pd.DataFrame({"row": rows, "id": self._all_ids, "label": np.where(values == 1, "1", "0")})

    def slides(self) -> Iterator[pd.DataFrame] | None:
        tables = [
            pd.DataFrame({"id": self._ids[part], "slide": self._slides_of(part)}) for part in self._metas
        ]
        return iter(tables) if tables else None

    @property
    def known_groups(self) -> tuple[str, ...]:
        return ("slide",) if self._metas else ()

    def given_parts(self) -> Iterator[pd.DataFrame]:
        return (pd.DataFrame({"id": self._ids[part], "part": given}) for part, given in PARTS.items())

    def check(self) -> None:
        for part in PARTS:
            for kind in ("x", "y"):
                path = self._arrays(part, kind)
                if not Path(path).is_file():
                    raise InputError(
                        f"{path}: no such file, nor with .gz; set dataset.root to the folder that has it"
                    )
        for part, ids in self._ids.items():
            patches, labels = self._arrays(part, "x"), len(ids)
            if patches.endswith(".gz"):
                continue  # counted once it is unpacked
            with _dataset(patches, "x") as array:
                if len(array) != labels:
                    raise InputError(
                        f"{patches}: has {len(array)} patches, but {self._arrays(part, 'y')} has {labels} "
                        "labels; take both from the same download"
                    )

    def _arrays(self, part: str, kind: str) -> str:
        """The file of the patches (x) or labels (y) of a published part; the plain one before `.gz`."""
        plain = f"{self.root}/camelyonpatch_level_2_split_{part}_{kind}.h5"
        return f"{plain}.gz" if Path(f"{plain}.gz").is_file() and not Path(plain).is_file() else plain

    @property
    def _metas(self) -> dict[str, str]:
        """The files that say the slides, by published part, as far as they are there."""
        paths = {part: f"{self.root}/camelyonpatch_level_2_split_{part}_meta.csv" for part in PARTS}
        return {part: path for part, path in paths.items() if Path(path).is_file()}

    def _slides_of(self, part: str) -> pd.Series:
        path = self._metas[part]
        # Where a patch is from tells its row from an empty one even where its slide is not known.
        columns = {"slide": "wsi", "place": "coord_x"}
        found = read_columns(
            path, {key: Column("dataset.format", [name], required=False) for key, name in columns.items()}
        )
        if "slide" not in found:
            raise InputError(
                f"{path}: there is no column 'wsi' with the slide of each patch; take the published file, or "
                "remove it to go without slides"
            )
        if len(found) != len(self._ids[part]):
            raise InputError(
                f"{path}: has slides of {len(found)} patches, but {self._arrays(part, 'y')} has "
                f"{len(self._ids[part])} labels; take both from the same download"
            )
        return found.slide

    @cached_property
    def _values(self) -> dict[str, np.ndarray]:
        """The labels of each published part."""
        return {part: _read_labels(self._arrays(part, "y")) for part in PARTS}

    @cached_property
    def _ids(self) -> dict[str, list[str]]:
        return {
            part: [f"{part}-{row:06d}" for row in range(len(values))] for part, values in self._values.items()
        }

    @cached_property
    def _all_ids(self) -> list[str]:
        return [id_ for ids in self._ids.values() for id_ in ids]


def _read_labels(path: str) -> np.ndarray:
    """The labels of a published part, which the file has as N×1×1×1 numbers. Raises InputError."""
    with _dataset(path, "y") as array:
        if array.size != len(array) or array.dtype.kind not in "biuf" or array.size > MOST_LABELS:
            raise InputError(
                f"{path}: the array 'y' is {array.dtype} of shape {array.shape}; one number a patch is needed"
            )
        values = array[:].ravel()
    other = np.flatnonzero(~np.isin(values, (0, 1)))
    if len(other):
        raise InputError(f"{path}: row {other[0]} of 'y' is {values[other[0]]}; labels are 0 or 1")
    return values


@contextlib.contextmanager
def _dataset(path: str, name: str) -> Iterator[h5py.Dataset]:
    """An array of an HDF5 file, which may be compressed as a whole. Raises InputError if it is damaged."""
    try:
        with contextlib.ExitStack() as stack:
            file = path
            if path.endswith(".gz"):
                file = io.BytesIO(stack.enter_context(gzip.open(path)).read(MOST_LABELS))
            opened = stack.enter_context(h5py.File(file, "r"))
            if not isinstance(opened.get(name), h5py.Dataset) or not opened[name].shape:
                arrays = ", ".join(map(repr, opened)) or "nothing"
                raise InputError(f"{path}: there is no array {name!r}, but {arrays}; take the published file")
            yield opened[name]
    except InputError:
        raise
    # What h5py raises depends on where the damage is.
    except (
        OSError,
        EOFError,
        zlib.error,
        KeyError,
        ValueError,
        RuntimeError,
        TypeError,
        MemoryError,
    ) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: cannot be read as HDF5, it is damaged or incomplete ({reason}); download it again"
        ) from None


FORMAT = PCam
