"""The layout of Kaggle's "Histopathologic Cancer Detection": folders of images and a table of labels."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.images import ImageFiles
from histopatch.data.labels import binary_labels
from histopatch.data.listing import list_images
from histopatch.data.names import tidied
from histopatch.data.slides import groups_in, read_slide_map
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError

KAGGLES = "histopathologic-cancer-detection"
HOW_TO_GET_IT = (
    f"get it with `kaggle competitions download -c {KAGGLES}`, unzip it there, "
    "or set dataset.root to where it is"
)
SLIDE_MAP = "patch_id_wsi_full.csv"  # as the map of Kaggle's patches is called that goes round


@dataclass(frozen=True)
class Kaggle:
    """`train/`, `train_labels.csv` and perhaps `test/` and `sample_submission.csv` under a root.

    An id is the name of an image without its suffix.
    """

    name: ClassVar = "kaggle"
    required: ClassVar = {"root": "the folder of the data set"}
    optional: ClassVar = ("patch_size", "columns", "positive", "slides", "slide_columns")
    uses: ClassVar = {
        "images": ("root",),
        "labels": ("root", "columns", "positive"),
        "slides": ("root", "slide_map", "slide_columns"),
    }
    gives_held_out: ClassVar = False

    root: str
    patch_size: int | str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)  # other names of `id` and `label`
    positive: str | None = None
    slide_map: str | None = None
    slide_columns: Mapping[str, str] = field(default_factory=dict)
    recipe: dict | None = None  # of a data set in this layout that the workflow makes

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        beside = f"{dataset['root']}/{SLIDE_MAP}"
        return cls(
            dataset["root"],
            dataset["patch_size"],
            dataset["columns"],
            dataset.get("positive"),
            dataset.get("slides") or (beside if Path(beside).is_file() else None),
            dataset["slide_columns"],
        )

    @classmethod
    def gives_parts(cls, dataset: dict) -> bool:
        return False

    @property
    def parts(self) -> tuple[str, ...]:
        return ("train", "test") if Path(self.root, "test").is_dir() else ("train",)

    @property
    def where(self) -> str:
        return f"{self.root}/train_labels.csv"

    @property
    def sample_submission(self) -> str | None:
        path = f"{self.root}/sample_submission.csv"
        return path if Path(path).is_file() else None

    def files(self, purpose: str) -> list[str]:
        slides = [self.slide_map] if self.slide_map else []
        return {"images": [], "labels": [self.where], "slides": slides}[purpose]

    def images(self, part: str) -> ImageFiles:
        folder = f"{self.root}/{part}"
        files = list_images(folder)
        return ImageFiles(folder, [tidied(os.path.splitext(file)[0]) for file in files], files)

    def labels(self) -> pd.DataFrame:
        columns = {
            name: Column(f"dataset.columns.{name}", [self.columns.get(name, name)])
            for name in ("id", "label")
        }
        rows = read_columns(self.where, columns)
        return rows.assign(label=binary_labels(rows.label, self.positive, self.where))

    def slides(self) -> pd.DataFrame | None:
        return self._slides

    @cached_property
    def _slides(self) -> pd.DataFrame | None:
        return read_slide_map(self.slide_map, self.slide_columns) if self.slide_map else None

    @property
    def known_groups(self) -> tuple[str, ...]:
        return groups_in(self.slides())

    def given_parts(self) -> None:
        return None

    def check(self) -> None:
        hint = (
            HOW_TO_GET_IT
            if PurePath(self.root).name == KAGGLES
            else "set dataset.root to the folder that has it"
        )
        folder = f"{self.root}/train"
        if not Path(folder).is_dir():
            raise InputError(f"{folder}: no such folder of images; {hint}")
        if not Path(self.where).is_file():
            raise InputError(f"{self.where}: no such file of labels; {hint}")
        if self.slide_map is not None and not Path(self.slide_map).is_file():
            raise InputError(f"{self.slide_map}: no such file; dataset.slides names a CSV file `id,slide`")


FORMAT = Kaggle
