"""A table of patches: one row for each, with the path of its image, its label and perhaps more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from histopatch.data.folds import GIVEN, HELD_OUT_PART, TEST_PART
from histopatch.data.images import ImageFiles
from histopatch.data.labels import binary_labels
from histopatch.data.slides import KNOWN, SLIDE_NAMES, check_slides, groups_in, read_slide_map
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError


@dataclass(frozen=True)
class Table:
    """A CSV, TSV or Parquet file; an id is the path of an image as the table has it."""

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
    label_column: str = "label"
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
        return ("train", "test") if (self._rows.part == TEST_PART).any() else ("train",)

    def files(self, purpose: str) -> list[str]:
        # The images are known by the paths in the table: an edit of its other columns packs nothing again.
        slides = [self.slide_map] if self.slide_map else []
        return {"images": [], "labels": [self.table], "slides": [self.table, *slides]}[purpose]

    def images(self, part: str) -> ImageFiles:
        wanted = (self._rows.part == TEST_PART) == (part == "test")
        files = [id_ for id_ in self._rows.id[wanted].unique() if Path(self.root, id_).exists()]
        return ImageFiles(self.root, files, files, named=True)

    def labels(self) -> pd.DataFrame:
        rows = self._rows[self._rows.part != TEST_PART]
        return rows[["row", "id"]].assign(label=binary_labels(rows.label, self.positive, self.table))

    def slides(self) -> pd.DataFrame | None:
        if self.slide_map:
            return read_slide_map(self.slide_map, self.slide_columns)
        if not {"slide", "patient"} & {*self._rows}:
            return None
        known = self._rows.reindex(columns=KNOWN, fill_value="")
        return check_slides(known.drop_duplicates(), self.table)

    @property
    def known_groups(self) -> tuple[str, ...]:
        return groups_in(self.slides()) if Path(self.table).is_file() else ()

    @property
    def gives_held_out(self) -> bool:
        return Path(self.table).is_file() and bool((self._rows.part == HELD_OUT_PART).any())

    def given_parts(self) -> pd.DataFrame | None:
        if self.part_column is None:
            return None
        return self._rows.loc[self._rows.part != TEST_PART, ["id", "part"]].drop_duplicates("id")

    def check(self) -> None:
        if not Path(self.table).is_file():
            raise InputError(f"{self.table}: no such file; dataset.table names the table of patches")

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """The rows of the table: `row,id,part` and, as far as it has them, `label`, `slide` and `patient`."""
        columns = {
            "id": Column("dataset.columns.path", [self.path_column]),
            "label": Column("dataset.columns.label", [self.label_column]),
            "slide": _optional("slide", self.slide_column, SLIDE_NAMES),
            "patient": _optional("patient", self.patient_column, ("patient",)),
        }
        if self.part_column:
            columns["part"] = Column("dataset.columns.part", [self.part_column])
        rows = read_columns(self.table, columns)
        if "part" not in rows:
            return rows.assign(part="")
        part = rows.part.str.lower().map(GIVEN)
        if part.isna().any():
            first = rows[part.isna()].iloc[0]
            raise InputError(
                f"{self.table}: line {first.row}: the part is {first.part!r}; use one of {', '.join(GIVEN)}"
            )
        return rows.assign(part=part)


def _optional(name: str, column: str | None, usual: tuple[str, ...]) -> Column:
    """A column that must be there if the configuration names it, and is read if the table has it."""
    return Column(f"dataset.columns.{name}", [column] if column else usual, required=column is not None)


FORMAT = Table
