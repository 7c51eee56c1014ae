"""PatchCamelyon's own files: three parts of patches in HDF5, with labels and, where present, slides."""

import gzip
import io
from dataclasses import dataclass
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
        if purpose == "slides":
            return [file for part in PARTS if Path(file := self._meta(part)).is_file()]
        return [self._arrays(part, "x" if purpose == "images" else "y") for part in PARTS]

    def images(self, part: str) -> PatchArrays:
        counts = {known: len(self._labels(known)) for known in PARTS}
        return PatchArrays(
            self.root,
            [id_ for known, count in counts.items() for id_ in _ids(known, count)],
            [Path(self._arrays(known, "x")).name for known, count in counts.items() for _ in range(count)],
            np.concatenate([np.arange(count) for count in counts.values()]),
            "x",
        )

    def labels(self) -> pd.DataFrame:
        tables = []
        for part in PARTS:
            values = self._labels(part)
            tables.append(
                pd.DataFrame({"row": range(len(values)), "id": _ids(part, len(values)), "label": values})
            )
        return pd.concat(tables, ignore_index=True)

    def slides(self) -> pd.DataFrame | None:
        tables = []
        for part in PARTS:
            if Path(self._meta(part)).is_file():
                meta = read_columns(self._meta(part), {"slide": Column("dataset.format", ["wsi"])})
                tables.append(pd.DataFrame({"id": _ids(part, len(meta)), "slide": meta.slide, "patient": ""}))
        return pd.concat(tables, ignore_index=True) if tables else None

    @property
    def known_groups(self) -> tuple[str, ...]:
        return ("slide",) if self.files("slides") else ()

    def given_parts(self) -> pd.DataFrame:
        tables = [
            pd.DataFrame({"id": _ids(part, len(self._labels(part))), "part": given})
            for part, given in PARTS.items()
        ]
        return pd.concat(tables, ignore_index=True)

    def check(self) -> None:
        for part in PARTS:
            for kind in ("x", "y"):
                path = self._arrays(part, kind)
                if not Path(path).is_file():
                    raise InputError(f"{path}: no such file, nor with .gz; set dataset.root to its folder")

    def _arrays(self, part: str, kind: str) -> str:
        """The file of the patches (x) or labels (y) of a published part; the plain one before `.gz`."""
        plain = f"{self.root}/camelyonpatch_level_2_split_{part}_{kind}.h5"
        return f"{plain}.gz" if Path(f"{plain}.gz").is_file() and not Path(plain).is_file() else plain

    def _meta(self, part: str) -> str:
        return f"{self.root}/camelyonpatch_level_2_split_{part}_meta.csv"

    def _labels(self, part: str) -> np.ndarray:
        """The labels of a published part as texts; the file has N×1×1×1 numbers."""
        path = self._arrays(part, "y")
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rb") as file, h5py.File(io.BytesIO(file.read())) as opened:
            return opened["y"][:].ravel().astype(str)


def _ids(part: str, count: int) -> list[str]:
    return [f"{part}-{row:06d}" for row in range(count)]


FORMAT = PCam
