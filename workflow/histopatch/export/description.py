"""model.json, which says what an exported model is and how it is used; read without PyTorch."""

import json
from pathlib import Path

from histopatch.errors import InputError

DESCRIPTION, WEIGHTS, ONNX = "model.json", "model.safetensors", "model.onnx"
FORMAT = 1  # of all files; a reader refuses any other


def read_description(folder: str | Path) -> dict:
    """The content of model.json. Raises InputError where the folder holds no model that can be read here."""
    folder = Path(folder)
    for name in (DESCRIPTION, WEIGHTS):
        existing(folder / name)
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
    except ValueError:
        raise InputError(f"{folder / DESCRIPTION}: not JSON; copy it again") from None
    found = description.get("format") if isinstance(description, dict) else None
    if found != FORMAT:
        raise InputError(
            f"{folder / DESCRIPTION}: its format is {found!r}, and this version of histopatch reads "
            f"{FORMAT}; use the version that wrote it"
        )
    return description


def existing(path: Path) -> Path:
    """A path, unless there is no file there: that raises InputError."""
    if not path.is_file():
        raise InputError(
            f"{path}: there is no such file; give the folder `final/model` of an experiment, or a copy of it"
        )
    return path
