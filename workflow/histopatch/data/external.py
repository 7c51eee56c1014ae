"""External data sets: labelled patches that nothing is trained on, as the final model meets them."""

import numpy as np

from histopatch.data.folds import HELD_OUT
from histopatch.data.formats.format import Format
from histopatch.data.slides import slides_of
from histopatch.errors import InputError
from histopatch.files import read_table, write_table


def external_patches(name: str, labels: str, dataset: Format, table: str) -> None:
    """Write the patches of an external data set as a split (`id,label,slide,patient,fold`) of held-out ones.

    name: of the data set; labels: its clean labels (CSV `id,label`); dataset: knows slides, or not. Raises
    InputError if a class is missing.
    """
    patches = read_table(labels)
    try:
        check_both_classes(patches.label.to_numpy())
    except InputError as error:
        raise InputError(f"external.{name}: {error}") from None
    found = slides_of(patches.id, dataset)
    write_table(patches.assign(slide=found.slide, patient=found.patient, fold=HELD_OUT), table)


def check_both_classes(labels: np.ndarray) -> None:
    """Raise InputError unless the labels (N of 0 and 1) of an external data set have both classes."""
    positive = int(labels.sum())
    if min(positive, len(labels) - positive) == 0:
        raise InputError(
            f"{positive:,} of {len(labels):,} usable patches are positive; a model can be "
            "judged on patches of both classes only, add the others or remove the data set"
        )
