"""A data set that the workflow makes itself, in Kaggle's layout, with the slide of every patch."""

from dataclasses import dataclass
from typing import ClassVar, Self

from histopatch.data.formats.kaggle import Kaggle

PATCH_SIZE = 96  # as `data.tissue` draws them; importing it would slow every call down


@dataclass(frozen=True)
class Synthetic(Kaggle):
    """Synthetic patches of synthetic slides, drawn from a seed.

    The recipe has the arguments of `data.synthetic.write_dataset`.
    """

    name: ClassVar = "synthetic"
    required: ClassVar = {}
    optional: ClassVar = ("synthetic",)
    parts: ClassVar = ("train", "test")

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        root = f"{results}/source"
        return cls(root, PATCH_SIZE, slide_map=f"{root}/slides.csv", recipe=dataset["synthetic"])

    def files(self, purpose: str) -> list[str]:
        # The images are made with this file. Not their folder, whose modification time changes with every
        # touch; and not marked `ancient`, because a job whose inputs are all ancient is not looked at when
        # the rule that makes them is about to rerun.
        return [self.slide_map] if purpose == "images" else super().files(purpose)

    @property
    def sample_submission(self) -> str:
        return f"{self.root}/sample_submission.csv"

    @property
    def known_groups(self) -> tuple[str, ...]:
        return ("slide",)

    def check(self) -> None:
        """Nothing has to be there."""


FORMAT = Synthetic
