"""What the steps need of a data set, whatever its format.

A format is the module here with its name, whose FORMAT is a class with this interface. A job loads the module
of its own data set only, so that a new format reruns nothing.
"""

from collections.abc import Iterator
from typing import ClassVar, Protocol, Self

import pandas as pd

from histopatch import components
from histopatch.data.images import Images


class Format(Protocol):
    """A data set on disk, as a frozen dataclass of plain values.

    Paths are relative to the working directory, as in the configuration.
    """

    name: ClassVar[str]  # as in `dataset.format`
    required: ClassVar[dict[str, str]]  # keys of `dataset` that must be there, and what each names
    optional: ClassVar[tuple[str, ...]]  # further keys of `dataset` that go with the format
    # The fields that the images, the labels, and the slides and given parts depend on.
    uses: ClassVar[dict[str, tuple[str, ...]]]

    where: str  # the file or folder that labels are from, for messages
    patch_size: int | str  # height and width in pixels, or `auto` for the commonest
    recipe: dict | None  # how the workflow makes the data set itself, or None where it is given
    sample_submission: str | None  # CSV whose ids and order a submission keeps, or None where there is none

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        """From the section `dataset` of the configuration, defaults filled in.

        results: the folder of the experiment's results, in which a data set may be made.
        """

    @classmethod
    def gives_parts(cls, dataset: dict) -> bool:
        """Whether the data set says itself which patches train, validate and are held out."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts with images: `train`, those with labels, and perhaps `test`, those without."""

    def files(self, purpose: str) -> list[str]:
        """The files that `images`, `labels` or `slides` are read from, besides folders and image files."""

    def images(self, part: str) -> Images:
        """The images of `train` or `test`."""

    def labels(self) -> Iterator[pd.DataFrame]:
        """Blocks of `row,id,label`: texts as they were found, words turned into `0` and `1`.

        `row` is where each was found. Raises InputError, perhaps after the last block.
        """

    def slides(self) -> Iterator[pd.DataFrame] | None:
        """Blocks with `id` and `slide`, `patient` or both: texts as they were found, empty where unknown.

        None where neither is known.
        """

    @property
    def known_groups(self) -> tuple[str, ...]:
        """Which of `patient` and `slide` is known of the patches, in this order; neither may be."""

    @property
    def gives_held_out(self) -> bool:
        """Whether the data set itself holds patches out."""

    def given_parts(self) -> Iterator[pd.DataFrame] | None:
        """Blocks of `id,part` with the parts of `data.folds.GIVEN`; None where the data set does not say."""

    def check(self) -> None:
        """Raise InputError, which names the first thing that is missing and how to get it."""


def format_class(name: str) -> type[Format]:
    """The class of a format by its name in the configuration."""
    return components.load(f"data.formats.{name}").FORMAT


def plain(dataset: Format, purpose: str) -> dict:
    """What a job must know of a data set to read its images, labels or slides: a param of the job."""
    return {"format": dataset.name} | {field: getattr(dataset, field) for field in dataset.uses[purpose]}


def restore(values: dict) -> Format:
    """The data set of `plain`, which can do what it was made plain for."""
    fields = {key: value for key, value in values.items() if key != "format"}
    return format_class(values["format"])(**fields)
