"""What the steps need of a data set, whatever its format."""

from typing import ClassVar, Protocol, Self


class Format(Protocol):
    """A data set on disk. Paths are relative to the working directory, as in the configuration."""

    required: ClassVar[dict[str, str]]  # keys of `dataset` that must be there, and what each names
    optional: ClassVar[tuple[str, ...]]  # further keys of `dataset` that go with the format

    patch_size: int  # height and width in pixels; images of another shape are set aside
    labels: str  # CSV `id,label`
    slides: str | None  # CSV `id,slide`, or None where slides are not known
    sample_submission: str | None  # CSV whose ids and order a submission keeps, or None where there is none
    recipe: dict | None  # how the workflow makes the data set itself, or None where it is given

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        """From the section `dataset` of the configuration, defaults filled in.

        results: the folder of the experiment's results, in which a data set may be made.
        """

    def images(self, part: str) -> str:
        """The folder of the images of `train` or `test`."""

    def check(self) -> None:
        """Raise InputError, which names the first thing that is missing and how to get it."""
