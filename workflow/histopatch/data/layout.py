"""The layout of Kaggle's "Histopathologic Cancer Detection" data set, which every data set here has."""

import os
from pathlib import Path

from histopatch.errors import InputError

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
HOW_TO_GET_IT = (
    "get it with `kaggle competitions download -c histopathologic-cancer-detection`, "
    "unzip it there, or set dataset.root to where it is"
)


def check_layout(root: str, slides: str | None) -> None:
    """Raise InputError, naming the first thing that is missing from the data set under `root`."""
    folder = Path(root)
    for name in ("train", "test"):
        if not (folder / name).is_dir():
            raise InputError(f"{folder / name}: no such folder of images; {HOW_TO_GET_IT}")
    if not (folder / "train_labels.csv").is_file():
        raise InputError(f"{folder / 'train_labels.csv'}: no such file of labels; {HOW_TO_GET_IT}")
    if slides is not None and not Path(slides).is_file():
        raise InputError(f"{slides}: no such file; dataset.slides names a CSV file `id,slide`")


def list_images(folder: Path) -> list[str]:
    """The names of the image files directly in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.name.lower().endswith(IMAGE_SUFFIXES))
