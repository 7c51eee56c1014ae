"""The slides of an input, which is a slide, a folder of slides, or a table with their paths."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from histopatch.data.labels import known_labels
from histopatch.data.listing import IMAGE_SUFFIXES
from histopatch.data.names import quote, tidy_name
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError

# Formats of scanners. A file of a DICOM series stands for all of it: a folder cannot list them, a table can.
SCANNED = (".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide", ".czi")
DICOM = ".dcm"
LARGER = 2  # times the width or height of a patch, from which on an image is tiled
SAMPLE = 20  # images that are looked at
PATHS = ("path", "file", "image", "slide")  # what the column with the paths may be called


def are_slides(path: str, tables: tuple[str, ...], patch_size: int) -> bool:
    """Whether an input is a slide or consists of slides: files of scanners, or images larger than a patch.

    tables: the suffixes of tables. A single image is always taken for one.
    """
    if Path(path).is_file() and not path.lower().endswith(tables):
        return path.lower().endswith((*SCANNED, DICOM, *IMAGE_SUFFIXES))
    try:
        files = _files(path)
    except InputError:  # of a table, told by what reads its patches
        return False
    if any(file.lower().endswith((*SCANNED, DICOM)) for file in files):
        return True
    places = np.unique(np.linspace(0, len(files) - 1, min(SAMPLE, len(files))).astype(int))
    found = [_is_larger(files[place], patch_size) for place in places]
    return sum(found) > len(found) / 2


def list_slides(path: str) -> pd.DataFrame:
    """Each slide of an input: `slide` (a name for its folder), `file`, and `label` where a table has it.

    Labels are 0, 1 or empty. Raises InputError where there is no slide, or where two would share a name.
    """
    is_table = Path(path).is_file() and not path.lower().endswith((*SCANNED, DICOM, *IMAGE_SUFFIXES))
    slides = _read(path) if is_table else pd.DataFrame({"file": _files(path)})
    if slides.empty:
        raise InputError(f"{path}: there are no slides in it")
    named = slides.assign(slide=[_name(file) for file in slides.file])
    if (twice := named.slide[named.slide.duplicated()]).size:
        raise InputError(f"{path}: two slides are called {quote(twice.iloc[0])}; rename the file of one")
    return named


def _name(file: str) -> str:
    """What a slide is called: the name of its file, with letters of any script, however macOS writes them."""
    return re.sub(r"[^\w.-]+", "_", tidy_name(Path(file).stem))


def _files(path: str) -> list[str]:
    if Path(path).is_file():
        suffixes = (*SCANNED, DICOM, *IMAGE_SUFFIXES)
        return [path] if path.lower().endswith(suffixes) else _read(path).file.to_list()
    suffixes = (*SCANNED, *IMAGE_SUFFIXES)
    found = sorted(Path(path).iterdir())
    return [str(file) for file in found if file.name[0] != "." and file.name.lower().endswith(suffixes)]


def _read(table: str) -> pd.DataFrame:
    columns = {
        "file": Column("the first line", PATHS),
        "label": Column("the first line", ["label"], required=False),
    }
    rows = read_columns(table, columns)
    rows = rows[rows.file != ""]
    slides = pd.DataFrame({"file": [str(Path(table).parent / file) for file in rows.file]})
    if "label" not in rows:
        return slides
    return slides.assign(label=known_labels(rows, table))


def _is_larger(file: str, patch_size: int) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about the size
            with Image.open(file) as image:
                return min(image.size) >= patch_size and max(image.size) >= LARGER * patch_size
    except Exception:  # decoders raise all kinds; the step that reads the file says what is wrong
        return False
