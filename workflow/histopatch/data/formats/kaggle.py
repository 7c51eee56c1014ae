"""The layout of Kaggle's "Histopathologic Cancer Detection": folders of images and a table of labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.images import ImageFiles, Stems
from histopatch.data.labels import binary_labels
from histopatch.data.listing import list_images
from histopatch.data.names import match_ids, quote, spoiled
from histopatch.data.slides import groups_in, read_slide_map
from histopatch.data.tables import Column, read_blocks
from histopatch.errors import InputError

KAGGLES = "histopathologic-cancer-detection"
HOW_TO_GET_IT = (
    f"get it with `kaggle competitions download -c {KAGGLES}`, unzip it there, "
    "or set dataset.root to where it is"
)
SLIDE_MAP = "patch_id_wsi_full.csv"  # the usual name of the published slide map of Kaggle's patches


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
        return self._images[part]

    @cached_property
    def _images(self) -> dict[str, ImageFiles]:
        found = {}
        for part in self.parts:
            folder = f"{self.root}/{part}"
            files = list_images(folder)
            found[part] = ImageFiles(folder, Stems(files), files)
        return found

    def labels(self) -> Iterator[pd.DataFrame]:
        columns = {
            name: Column(f"dataset.columns.{name}", [self.columns.get(name, name)])
            for name in ("id", "label")
        }
        return binary_labels(read_blocks(self.where, columns), self.positive, self.where)

    def slides(self) -> Iterator[pd.DataFrame] | None:
        return read_slide_map(self.slide_map, self.slide_columns) if self.slide_map else None

    @property
    def known_groups(self) -> tuple[str, ...]:
        # A map that is missing is named by `check`, where the experiment is asked for.
        return groups_in(self.slides()) if self.slide_map and Path(self.slide_map).is_file() else ()

    def given_parts(self) -> None:
        return None

    def check(self) -> None:
        # Without test images there is nothing to submit, except where something says that there should be.
        submits = Path(self.root).name == KAGGLES or self.sample_submission
        for part in ("train", "test") if submits else ("train",):
            if not Path(self.root, part).is_dir():
                raise InputError(f"{self.root}/{part}: no such folder of images; {self._hint(part)}")
        if not Path(self.where).is_file():
            raise InputError(f"{self.where}: no such file of labels; {self._hint('train_labels.csv')}")
        if self.slide_map is not None and not Path(self.slide_map).is_file():
            raise InputError(f"{self.slide_map}: no such file; dataset.slides names a CSV file `id,slide`")
        self._check_ids()

    def _check_ids(self) -> None:
        """Raise InputError if no id at all is that of an image."""
        images = self.images("train")
        if any(not {*rows.id}.isdisjoint(images.ids) for rows in self.labels()):
            return
        known, ids = {*images.ids}, pd.concat(self.labels()).id
        if not known or ids.empty or not known.isdisjoint(match_ids(ids, known)):
            return
        why = "".join(f"; {sentence}" for sentence in spoiled(ids, known))
        raise InputError(
            f"{self.where}: no id is the name of an image in {images.where}: the first id is "
            f"{quote(ids.iloc[0])}, the first image {quote(images.files[0])}{why}"
        )

    def _hint(self, name: str) -> str:
        """Where something that is missing from the root may be, or how to get it."""
        root = Path(self.root)
        beside = sorted(root.iterdir()) if root.is_dir() else []
        for path in beside:
            if path.name.lower() == name != path.name:
                return f"rename {path.name!r} there"
        for folder in (root.parent, *beside):
            if (folder / name).exists():
                return f"set dataset.root to {str(folder)!r}, which has it"
        return HOW_TO_GET_IT if root.name == KAGGLES else "set dataset.root to the folder that has it"


FORMAT = Kaggle
