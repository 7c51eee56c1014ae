"""The layout of Kaggle's "Histopathologic Cancer Detection": folders of images and a table of labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from histopatch.errors import InputError

HOW_TO_GET_IT = (
    "get it with `kaggle competitions download -c histopathologic-cancer-detection`, "
    "unzip it there, or set dataset.root to where it is"
)


@dataclass(frozen=True)
class Kaggle:
    """`train/`, `test/`, `train_labels.csv` and perhaps `sample_submission.csv` under a root."""

    required: ClassVar = {"root": "the folder of the data set"}
    optional: ClassVar = ("slides", "patch_size")
    recipe: ClassVar = None

    root: str
    patch_size: int
    slides: str | None = None

    @classmethod
    def read(cls, dataset: dict, results: str) -> Self:
        return cls(dataset["root"], dataset["patch_size"], dataset.get("slides"))

    @property
    def labels(self) -> str:
        return f"{self.root}/train_labels.csv"

    @property
    def sample_submission(self) -> str | None:
        path = f"{self.root}/sample_submission.csv"
        return path if Path(path).is_file() else None

    def images(self, part: str) -> str:
        return f"{self.root}/{part}"

    def check(self) -> None:
        for part in ("train", "test"):
            if not Path(self.images(part)).is_dir():
                raise InputError(f"{self.images(part)}: no such folder of images; {HOW_TO_GET_IT}")
        if not Path(self.labels).is_file():
            raise InputError(f"{self.labels}: no such file of labels; {HOW_TO_GET_IT}")
        if self.slides is not None and not Path(self.slides).is_file():
            raise InputError(f"{self.slides}: no such file; dataset.slides names a CSV file `id,slide`")
