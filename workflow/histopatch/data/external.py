"""External data sets: labelled patches that nothing is trained on, as the final model meets them."""

from histopatch.data.folds import HELD_OUT
from histopatch.data.formats.format import Format
from histopatch.data.slides import find_slides
from histopatch.database import database
from histopatch.errors import InputError
from histopatch.files import read_blocks, write_blocks


def external_patches(name: str, labels: str, dataset: Format, table: str) -> None:
    """Write the patches of an external data set as a split (`id,label,slide,patient,fold`) of held-out ones.

    name: of the data set; labels: its clean labels (CSV `id,label`); dataset: knows slides, or not. Raises
    InputError if a class is missing.
    """
    with database(table) as tables:
        tables.load("patches", read_blocks(labels))
        try:
            check_both_classes(*tables.row("SELECT count(*), coalesce(sum(label), 0) FROM patches"))
        except InputError as error:
            raise InputError(f"external.{name}: {error}") from None
        find_slides(tables, dataset)
        columns = f"id, label, slide, patient, {HELD_OUT} AS fold"
        write_blocks(tables.blocks(f"SELECT {columns} FROM patches ORDER BY place"), table)


def check_both_classes(count: int, positive: int) -> None:
    """Raise InputError unless an external data set has both classes. count: of patches; positive: of them."""
    if min(positive, count - positive) == 0:
        raise InputError(
            f"{positive:,} of {count:,} usable patches are positive; a model can be "
            "judged on patches of both classes only, add the others or remove the data set"
        )
