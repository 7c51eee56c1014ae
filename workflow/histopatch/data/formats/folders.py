"""A folder for each class, or such folders within a folder for each slide."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.folds import GIVEN
from histopatch.data.images import ImageFiles
from histopatch.data.listing import find_images
from histopatch.data.names import tidy, writable
from histopatch.data.slides import groups_in, read_slide_map
from histopatch.errors import InputError

LAYOUTS = "put all images into class/image, or all into slide/class/image"


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
        return ImageFiles(self.root, self._ids, self._files)

    def labels(self) -> Iterator[pd.DataFrame]:
        labels = ["1" if folder == self.positive else "0" for folder in self._classes]
        yield pd.DataFrame({"row": range(1, len(labels) + 1), "id": self._ids, "label": labels})

    def slides(self) -> Iterator[pd.DataFrame] | None:
        if self.slide_map:
            return read_slide_map(self.slide_map, self.slide_columns)
        if not self._tops:
            return None
        return iter([pd.DataFrame({"id": self._ids, "slide": self._tops})])

    @property
    def known_groups(self) -> tuple[str, ...]:
        # What is missing is named by `check`, where the experiment is asked for.
        there = all(Path(path).exists() for path in (self.root, *self.files("slides")))
        return groups_in(self.slides()) if there else ()

    def given_parts(self) -> None:
        return None

    def check(self) -> None:
        if not Path(self.root).is_dir():
            raise InputError(
                f"{self.root}: no such folder; set dataset.root to the one that has the class folders"
            )
        if self.slide_map is not None and not Path(self.slide_map).is_file():
            raise InputError(f"{self.slide_map}: no such file; dataset.slides names a CSV file `id,slide`")
        if self._files:
            self._check_depths()
            self._check_parts()
            self._check_classes()

    def _check_depths(self) -> None:
        depths = Counter(file.count("/") for file in self._files)
        if len(depths) == 1 and {*depths} <= {1, 2}:
            return
        first = {file.count("/"): file for file in reversed(self._files)}
        found = ", ".join(f"{count:,} like {first[depth]!r}" for depth, count in sorted(depths.items()))
        raise InputError(f"{self.root}: where images lie is not what can be read ({found}); {LAYOUTS}")

    def _check_parts(self) -> None:
        parts = sorted({name for name in (*self._tops, *self._classes) if name.lower() in GIVEN})
        if parts:
            raise InputError(
                f"{self.root}: the folders {parts} are called like parts of a data set, not like classes or "
                "slides; set dataset.root to one of them, or list all images in a table with their part "
                "(`format: table`)"
            )

    def _check_classes(self) -> None:
        classes = sorted({*self._classes})
        if self.positive not in classes:
            if self.positive in self._tops:
                raise InputError(
                    f"{self.root}: the folder {self.positive!r} has folders in it; put the slides above the "
                    "classes, slide/class/image"
                )
            raise InputError(
                f"{self.root}: no image is in a folder {self.positive!r}, which is dataset.positive; the "
                f"folders with images are {', '.join(map(repr, classes[:10]))}"
            )
        if len(classes) != 2:
            raise InputError(
                f"{self.root}: two classes are needed, but the folders with images are "
                f"{', '.join(map(repr, classes[:10]))}; have two, or list all images in a table "
                "with their label (`format: table`)"
            )

    @cached_property
    def _files(self) -> list[str]:
        return find_images(self.root)

    @cached_property
    def _ids(self) -> list[str]:
        return tidy(map(writable, self._files))

    @cached_property
    def _classes(self) -> list[str]:
        """The class folder of each image."""
        return [id_.split("/")[-2] for id_ in self._ids]

    @cached_property
    def _tops(self) -> list[str]:
        """The slide folder of each image; empty where there are only class folders."""
        return [id_.split("/")[0] for id_ in self._ids] if self._ids and self._ids[0].count("/") > 1 else []


FORMAT = Folders
