"""A table of patches: one row for each, with the path of its image, its label and perhaps more."""

import functools
import itertools
import posixpath
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.folds import GIVEN, HELD_OUT_PART, TEST_PART
from histopatch.data.images import ImageFiles
from histopatch.data.labels import binary_labels
from histopatch.data.listing import list_files
from histopatch.data.slides import SLIDE_NAMES, groups_in, read_slide_map
from histopatch.data.tables import Column, read_blocks
from histopatch.errors import InputError


@dataclass(frozen=True)
class Table:
    """A CSV, TSV or Parquet file; an id is the path of an image as the table has it, in its plain form."""

    name: ClassVar = "table"
    required: ClassVar = {"table": "the CSV, TSV or Parquet file with a row for each patch"}
    optional: ClassVar = ("root", "patch_size", "columns", "positive", "slides", "slide_columns")
    uses: ClassVar = {
        "images": ("table", "root", "path_column", "part_column"),
        "labels": ("table", "root", "path_column", "part_column", "label_column", "positive"),
        "slides": (
            "table", "root", "path_column", "part_column", "slide_column", "patient_column",
            "slide_map", "slide_columns",
        ),
    }  # fmt: skip
    recipe: ClassVar = None
    sample_submission: ClassVar = None

    table: str
    root: str  # the folder that paths in the table are relative to
    path_column: str
    part_column: str | None = None
    label_column: str | None = None  # None where a job needs no labels
    positive: str | None = None
    slide_column: str | None = None
    patient_column: str | None = None
    slide_map: str | None = None
    slide_columns: Mapping[str, str] = field(default_factory=dict)
    patch_size: int | str = "auto"

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        columns = dataset["columns"]
        return cls(
            table=dataset["table"],
            root=dataset.get("root", str(Path(dataset["table"]).parent)),
            path_column=columns.get("path", "path"),
            part_column=columns.get("part"),
            label_column=columns.get("label", "label"),
            positive=dataset.get("positive"),
            slide_column=columns.get("slide"),
            patient_column=columns.get("patient"),
            slide_map=dataset.get("slides"),
            slide_columns=dataset["slide_columns"],
            patch_size=dataset["patch_size"],
        )

    @classmethod
    def gives_parts(cls, dataset: dict) -> bool:
        return "part" in dataset.get("columns", {})

    @property
    def where(self) -> str:
        return self.table

    @property
    def parts(self) -> tuple[str, ...]:
        return ("train", "test") if TEST_PART in self._parts else ("train",)

    def files(self, purpose: str) -> list[str]:
        # The images are known by the paths in the table: an edit of its other columns packs nothing again.
        slides = [self.slide_map] if self.slide_map else []
        return {"images": [], "labels": [self.table], "slides": [self.table, *slides]}[purpose]

    def images(self, part: str) -> ImageFiles:
        return self._images[part]

    @cached_property
    def _images(self) -> dict[str, ImageFiles]:
        found = {}
        for part in self.parts:
            rows = self._rows_of(part).drop_duplicates("id")
            there = rows[rows.file != ""]
            found[part] = ImageFiles(self.root, there.id.to_list(), there.file.to_list(), named=True)
        return found

    def labels(self) -> Iterator[pd.DataFrame]:
        rows = (rows[["row", "id", "label"]] for rows in self._blocks("train"))
        return binary_labels(rows, self.positive, self.table)

    def slides(self) -> Iterator[pd.DataFrame] | None:
        if self.slide_map:
            known = read_slide_map(self.slide_map, self.slide_columns)
            return (rows.assign(id=_plain_paths(rows.id)) for rows in known)
        blocks = self._blocks("train")
        first = next(blocks)
        if not {"slide", "patient"} & {*first}:
            return None
        return (rows[rows.id != ""] for rows in itertools.chain([first], blocks))

    @property
    def known_groups(self) -> tuple[str, ...]:
        # What is missing is named by `check`, where the experiment is asked for.
        there = all(Path(path).is_file() for path in self.files("slides"))
        return groups_in(self.slides()) if there else ()

    @property
    def gives_held_out(self) -> bool:
        return Path(self.table).is_file() and HELD_OUT_PART in self._parts

    def given_parts(self) -> Iterator[pd.DataFrame] | None:
        if self.part_column is None:
            return None
        return (rows[["id", "part"]] for rows in self._blocks("train"))

    def check(self) -> None:
        if not Path(self.table).is_file():
            raise InputError(f"{self.table}: no such file; dataset.table names the table of patches")
        if not Path(self.root).is_dir():
            raise InputError(
                f"{self.root}: no such folder; dataset.root is what paths in the table start from"
            )
        if self.slide_map:
            self._check_slide_map()
        self._check_parts()
        self._check_images()

    def _check_slide_map(self) -> None:
        if not Path(self.slide_map).is_file():
            raise InputError(f"{self.slide_map}: no such file; dataset.slides names a CSV file `id,slide`")
        for key, column in (("slide", self.slide_column), ("patient", self.patient_column)):
            if column:
                raise InputError(
                    f"dataset.slides: the slides are in {self.slide_map} or in the column {column!r} of the "
                    f"table, not in both; remove dataset.slides or dataset.columns.{key}"
                )

    def _check_parts(self) -> None:
        rows = self._rows[self._rows.id != ""]
        parts = rows.drop_duplicates(["id", "part"])
        twice = parts[parts.id.duplicated()]
        if len(twice):
            second = twice.iloc[0]
            first = rows[rows.id == second.id].iloc[0]
            raise InputError(
                f"{self.table}: {second.id!r} is {first.part!r} in line {first.row} and {second.part!r} in "
                f"line {second.row}; keep one of them"
            )
        labelled = rows[(rows.part == TEST_PART) & (rows.label != "")]
        if len(labelled):
            raise InputError(
                f"{self.table}: line {labelled.row.iloc[0]}: a patch of the part `test` has the label "
                f"{labelled.label.iloc[0]!r}; call the part `held out` if labels measure the final model, or "
                "leave out the labels of patches that are to be predicted"
            )
        if (rows.part == TEST_PART).all() and len(rows):
            raise InputError(
                f"{self.table}: all patches are of the part `test`; others are needed to train on"
            )

    def _check_images(self) -> None:
        for part in self.parts:
            rows = self._rows_of(part)
            rows = rows[rows.id != ""]
            missing = rows[rows.file == ""]
            if not len(missing):
                continue
            first = missing.iloc[0]
            if len(missing) == len(rows):
                raise InputError(
                    f"{self.table}: none of the {len(rows)} images is there, such as "
                    f"{posixpath.join(self.root, first.id)!r} of line {first.row}; set dataset.root to the "
                    "folder that the paths start from"
                )
            if part == "test":  # of labelled patches, cleaning lists those without an image
                raise InputError(
                    f"{self.table}: {len(missing)} of {len(rows)} images to predict are not there, such as "
                    f"{posixpath.join(self.root, first.id)!r} of line {first.row}; add them or remove their "
                    "rows"
                )

    def _rows_of(self, part: str) -> pd.DataFrame:
        return self._rows[(self._rows.part == TEST_PART) == (part == "test")]

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """What is checked of the whole table: `row,id,part`, `label` where it is read, and `file`.

        `file` is relative to the root, and empty where there is none.
        """
        # Listing a folder once is far cheaper than asking for each file, above all over a network.
        listed = functools.cache(lambda folder: list_files(posixpath.join(self.root, folder)))
        blocks = []
        for rows in self._read():
            rows = rows.assign(file=_files(listed, rows.path, rows.id)).drop(columns="path")
            if "label" in rows:
                rows["label"] = rows.label.map(sys.intern)  # else each row has a text of its own
            blocks.append(rows.drop(columns=["slide", "patient"], errors="ignore"))
        return pd.concat(blocks, ignore_index=True)

    @cached_property
    def _parts(self) -> set[str]:
        """The parts that patches are of, as in `data.folds.GIVEN`; none where the table does not say."""
        return {part for rows in self._read() for part in rows.part.unique()} if self.part_column else set()

    def _blocks(self, part: str) -> Iterator[pd.DataFrame]:
        """The rows of `train` or `test`, some at a time."""
        return (rows[(rows.part == TEST_PART) == (part == "test")] for rows in self._read())

    def _read(self) -> Iterator[pd.DataFrame]:
        """`row,path,id,part` and, as far as the table has them, `label`, `slide`, `patient`, in blocks."""
        columns = {
            "path": Column("dataset.columns.path", [self.path_column]),
            "slide": _optional("slide", self.slide_column, SLIDE_NAMES),
            "patient": _optional("patient", self.patient_column, ("patient",)),
        }
        if self.label_column:
            columns["label"] = Column("dataset.columns.label", [self.label_column])
        if self.part_column:
            columns["part"] = Column("dataset.columns.part", [self.part_column])
        for rows in read_blocks(self.table, columns):
            part = self._given(rows) if self.part_column else ""
            yield rows.assign(id=_plain_paths(rows.path), part=part)

    def _given(self, rows: pd.DataFrame) -> pd.Series:
        part = rows.part.str.lower().map(GIVEN)
        if part.isna().any():
            first = rows[part.isna()].iloc[0]
            raise InputError(
                f"{self.table}: line {first.row}: the part is {first.part!r}; use one of {', '.join(GIVEN)}"
            )
        return part


def _optional(name: str, column: str | None, usual: tuple[str, ...]) -> Column:
    """A column that must be there if the configuration names it, and is read if the table has it."""
    return Column(f"dataset.columns.{name}", [column] if column else usual, required=column is not None)


def _plain_paths(paths: pd.Series) -> pd.Series:
    """Paths with `/` and without `./`, `//` and `../` inside, so that a file has one id however written."""
    unusual = paths.str.contains(r"\\|//|(?:^|/)\.{1,2}/")
    return paths.mask(unusual, paths[unusual].map(lambda path: posixpath.normpath(path.replace("\\", "/"))))


def _files(listed: Callable[[str], set[str]], paths: pd.Series, ids: pd.Series) -> list[str]:
    """The file of each path, relative to the root; empty where there is none.

    Besides the plain path it may be called just as written, with backslashes in its name, or decomposed (NFD)
    as macOS does. listed: the names of the files in a folder, likewise relative.
    """

    def exists(path: str) -> bool:
        place = path.rfind("/") + 1
        return path[place:] in listed(path[:place])

    def find(path: str, id_: str) -> str:
        others = (path, unicodedata.normalize("NFD", id_))
        return next((other for other in others if exists(other)), "")

    return [
        id_ if exists(id_) else find(path, id_)
        for path, id_ in zip(paths.to_list(), ids.to_list(), strict=True)
    ]


FORMAT = Table
