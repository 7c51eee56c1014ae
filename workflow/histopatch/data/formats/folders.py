"""A folder for each class, or such folders within a folder for each slide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.images import ImageFiles
from histopatch.data.labels import binary_labels
from histopatch.data.listing import find_images
from histopatch.data.slides import groups_in, read_slide_map
from histopatch.errors import InputError


@dataclass(frozen=True)
class Folders:
    """`class/image` or `slide/class/image` under a root; an id is the path of an image below the root."""

    name: ClassVar = "folders"
    required: ClassVar = {
        "root": "the folder that has a folder for each class",
        "positive": "the folder of the positive class",
    }
    optional: ClassVar = ("patch_size", "slides", "slide_columns")
    uses: ClassVar = {
        "images": ("root",),
        "labels": ("root", "positive"),
        "slides": ("root", "slide_map", "slide_columns"),
    }
    recipe: ClassVar = None
    gives_held_out: ClassVar = False
    sample_submission: ClassVar = None
    parts: ClassVar = ("train",)

    root: str
    positive: str = ""
    slide_map: str | None = None
    slide_columns: Mapping[str, str] = field(default_factory=dict)
    patch_size: int | str = "auto"

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        return cls(
            dataset["root"],
            dataset["positive"],
            dataset.get("slides"),
            dataset["slide_columns"],
            dataset["patch_size"],
        )

    @classmethod
    def gives_parts(cls, dataset: dict) -> bool:
        return False

    @property
    def where(self) -> str:
        return self.root

    def files(self, purpose: str) -> list[str]:
        return [self.slide_map] if purpose == "slides" and self.slide_map else []

    def images(self, part: str) -> ImageFiles:
        return ImageFiles(self.root, self._files, self._files)

    def labels(self) -> pd.DataFrame:
        classes = pd.Series([PurePath(file).parent.name for file in self._files])
        labels = binary_labels(classes, self.positive, self.root)
        return pd.DataFrame({"row": range(1, len(labels) + 1), "id": self._files, "label": labels})

    def slides(self) -> pd.DataFrame | None:
        if self.slide_map:
            return read_slide_map(self.slide_map, self.slide_columns)
        if not self._files or len(PurePath(self._files[0]).parts) < 3:
            return None
        slides = [PurePath(file).parts[0] for file in self._files]
        return pd.DataFrame({"id": self._files, "slide": slides, "patient": ""})

    @property
    def known_groups(self) -> tuple[str, ...]:
        return groups_in(self.slides()) if Path(self.root).is_dir() else ()

    def given_parts(self) -> None:
        return None

    def check(self) -> None:
        if not Path(self.root).is_dir():
            raise InputError(
                f"{self.root}: no such folder; set dataset.root to the one that has the class folders"
            )
        depths = {len(PurePath(file).parts) for file in self._files}
        if len(depths) > 1 or not depths <= {2, 3}:
            raise InputError(
                f"{self.root}: images lie {sorted(depth - 1 for depth in depths)} folders deep; "
                "put all into class/image or all into slide/class/image"
            )

    @cached_property
    def _files(self) -> list[str]:
        return find_images(self.root)


FORMAT = Folders
