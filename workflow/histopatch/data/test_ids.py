"""The ids that a submission must name, in its order, and the usable image of each."""

import logging
from collections.abc import Mapping, Set

import pandas as pd

from histopatch.data.formats.format import Format
from histopatch.data.names import fault, match_ids, quote, spoiled
from histopatch.data.pack import SAME_ID
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError
from histopatch.files import read_table, write_table

NO_IMAGE = "no such image"


def write_test_ids(sample: str | None, index: str, set_aside: str, unusable: str | float, table: str) -> None:
    """Write `id,image`: each id of the submission and the id of its image, empty where none is usable.

    sample: a sample submission, whose ids and order are kept, or None for all test images, sorted; index and
    set_aside: the pack's tables of usable and unusable test images; unusable: `stop`, or the probability that
    ids without a usable image will get. Raises InputError if an id has no usable image and `unusable` is
    `stop`, and whatever it is if no id has one.
    """
    aside = read_table(set_aside)
    reasons = dict(zip(aside.id, aside.file + ": " + aside.reason, strict=True))
    # Where two files share an id, nobody knows which of them is meant.
    usable = {*read_table(index, ["id"]).id} - {*aside.id[aside.reason.str.startswith(SAME_ID)]}
    wanted = pair(sample, usable, reasons, set_aside, unusable)
    _warn(wanted, usable | reasons.keys(), sample, unusable)
    write_table(wanted[["id", "image"]], table)


def check_test_ids(dataset: Format, unusable: str | float) -> None:
    """Raise InputError where names alone show that test ids have no image, as `write_test_ids` does.

    Images that cannot be read are found by the pack only.
    """
    if "test" not in dataset.parts:
        return
    images, files, reasons = dataset.images("test"), {}, {}
    for id_, file in zip(images.ids, images.files, strict=True):
        if files.setdefault(id_, file) != file:
            reasons[id_] = f"{file}: {SAME_ID}{files[id_]}"
    pair(dataset.sample_submission, files.keys() - reasons.keys(), reasons, images.where, unusable)


def pair(
    sample: str | None, usable: Set[str], reasons: Mapping[str, str], where: str, unusable: str | float
) -> pd.DataFrame:
    """The ids of a submission as `id,image,reason`: `image` is the id of the image, or empty with a `reason`.

    usable: the ids of usable images; reasons: why other ids have none; where: what these are from, for
    messages; sample, unusable and errors: as of `write_test_ids`. Raises InputError as well if the sample
    cannot be read, or an id would make a spreadsheet run something.
    """
    source, known = sample or where, usable | reasons.keys()
    ids = read_sample(sample) if sample else pd.Series(sorted(known), dtype=str)
    names = ids.tolist()
    for name in names:
        if text := fault(name):
            raise InputError(f"{source}: the id {quote(name)} is a {text}; give the image another name")
    images = match_ids(ids, known).tolist()
    reason = ["" if image in usable else reasons.get(image, NO_IMAGE) for image in images]
    missing = [number for number, text in enumerate(reason) if text]
    if missing and (unusable == "stop" or len(missing) == len(ids)):
        hint = "; ".join(spoiled(ids[missing], known)) or "correct them"
        if len(missing) < len(ids):
            hint += ", or set final.unusable_images to the probability to submit for them"
        raise InputError(
            f"{source}: {len(missing):,} of {len(ids):,} test ids have no usable image, the first is "
            f"{quote(names[missing[0]])} ({reason[missing[0]]}); {hint}"
        )
    image = ["" if text else image for image, text in zip(images, reason, strict=True)]
    return pd.DataFrame({"id": names, "image": image, "reason": reason})


def read_sample(path: str) -> pd.Series:
    """The ids of a sample submission, in its order. Raises InputError if there is none, or one twice."""
    columns = {"id": Column("the first line, as in `id,label`", ["id"])}
    ids = read_columns(path, columns).id
    if ids.empty:
        raise InputError(f"{path}: there are no ids below the first line; remove the file or complete it")
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise InputError(f"{path}: the id {quote(repeated.iloc[0])} appears twice; remove one")
    return ids


def _warn(wanted: pd.DataFrame, known: Set[str], sample: str | None, unusable: str | float) -> None:
    """Say which ids get a stated probability, and which images are not asked for."""
    missing = wanted[wanted.image == ""]
    if len(missing):
        first = missing.iloc[0]
        logging.warning(
            "%d of %d test ids have no usable image and get the probability %s, such as %s (%s)",
            len(missing), len(wanted), unusable, quote(first.id), first.reason,
        )  # fmt: skip
    extra = sorted(known - {*match_ids(wanted.id, known)})
    if extra:
        logging.warning("%s leaves out %d test images, such as %s", sample, len(extra), quote(extra[0]))
