"""A data set that the workflow makes itself, in Kaggle's layout, with the slide of every patch."""

from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class Synthetic:
    """Synthetic patches of synthetic slides, drawn from a seed."""

    required: ClassVar = {}
    optional: ClassVar = ("synthetic",)

    root: str
    patch_size: int
    recipe: dict  # the arguments of `data.synthetic.write_dataset`

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        return cls(f"{results}/source", dataset["patch_size"], dataset["synthetic"])

    @property
    def labels(self) -> str:
        return f"{self.root}/train_labels.csv"

    @property
    def slides(self) -> str:
        return f"{self.root}/slides.csv"

    @property
    def sample_submission(self) -> str:
        return f"{self.root}/sample_submission.csv"

    def images(self, part: str) -> str:
        return f"{self.root}/{part}"

    def check(self) -> None:
        """Nothing has to be there."""
