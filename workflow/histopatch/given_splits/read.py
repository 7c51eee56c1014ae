"""Read a split that was made elsewhere: which layout it has shows in the file or folder itself."""

from pathlib import Path

from histopatch.errors import InputError
from histopatch.given_splits.clam import follow_slides, read_lists
from histopatch.given_splits.divided import read_divided
from histopatch.given_splits.listed import read_listed
from histopatch.given_splits.source import read_source
from histopatch.given_splits.split import GivenSplit


def read_split(
    split: str, data: str | None = None, slides: str | None = None, labels: str | None = None
) -> GivenSplit:
    """Read a split. Raises InputError for what cannot be read, or says nothing about the images.

    split: a table, or a folder that is itself divided into parts. data: the folder with the images that a
    table divides. slides and labels: tables that say more of the images, as in `source.read_source`.
    """
    if Path(split).is_dir():
        if data and not Path(data).samefile(split):
            raise InputError(f"{split}: a folder that is divided has its images in it; leave out DATA")
        return read_divided(split, read_source(split, slides, labels))
    if not Path(split).is_file():
        raise InputError(f"{split}: no such file or folder; SPLIT names a table or a folder with parts in it")
    if not data:
        raise InputError(f"{split}: the table names images, but not where they are; DATA names their folder")
    lists = read_lists(split)
    source = read_source(data, slides, labels)
    return follow_slides(split, lists, source) if lists is not None else read_listed(split, source)
