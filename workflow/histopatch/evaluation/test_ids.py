"""The ids that a submission must name, in its order, and the usable image of each."""

import logging

import pandas as pd

from histopatch.data.names import match_ids, quote
from histopatch.data.pack import SAME_ID
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError
from histopatch.files import read_table, write_table


def write_test_ids(
    sample: str | None, index: str, set_aside: str, unusable: str | float, folder: str, table: str
) -> None:
    """Write `id,image`: each id of the submission and the id of its image, empty where none is usable.

    sample: a sample submission, whose ids and order are kept, or None for all test images, sorted; index and
    set_aside: the pack's tables of usable and unusable test images; unusable: `stop`, or the probability that
    ids without a usable image will get; folder: the test images, for messages. Raises InputError if an id has
    no usable image and `unusable` is `stop`, and whatever it is if no id has one.
    """
    reasons = dict(read_table(set_aside)[["id", "reason"]].itertuples(index=False))
    # Where two files share an id, nobody knows which of them is meant.
    doubled = {id_ for id_, reason in reasons.items() if reason.startswith(SAME_ID)}
    usable = {*read_table(index).id} - doubled
    known = sorted(usable | {*reasons})
    ids = read_sample(sample) if sample else pd.Series(known, dtype=str)
    image = match_ids(ids, known)
    wanted = pd.DataFrame({"id": ids, "image": [name if name in usable else "" for name in image]})
    without = wanted.image == ""
    missing = pd.DataFrame(
        {"id": ids[without], "reason": [reasons.get(name, "no such image") for name in image[without]]}
    )
    check_missing(missing, len(wanted), sample or folder, unusable)
    if len(missing):
        logging.warning(
            "%d of %d test ids have no usable image and get the probability %s, such as %s (%s)",
            len(missing), len(wanted), unusable, quote(missing.id.iloc[0]), missing.reason.iloc[0],
        )  # fmt: skip
    extra = sorted({*known} - {*image})
    if extra:
        logging.warning("%s leaves out %d test images, such as %s", sample, len(extra), quote(extra[0]))
    write_table(wanted, table)


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


def check_missing(missing: pd.DataFrame, count: int, source: str, unusable: str | float) -> None:
    """Raise InputError where ids without a usable image (`id,reason`) are not to be passed over.

    count: of all ids; source: the file or folder that they are from.
    """
    if not len(missing) or (unusable != "stop" and len(missing) < count):
        return
    first = missing.iloc[0]
    choice = ", or set final.unusable_images to the probability to submit for them"
    raise InputError(
        f"{source}: {len(missing):,} of {count:,} test ids have no usable image, the first is "
        f"{quote(first.id)} ({first.reason}); correct them{choice if len(missing) < count else ''}"
    )
