"""Labels as people write them, to 0 and 1."""

import pandas as pd

from histopatch.errors import InputError


def binary_labels(labels: pd.Series, positive: str | None, where: str) -> pd.Series:
    """Labels as the texts `0` and `1`; what is neither stays as it is, for cleaning to reject.

    positive: the label of the positive class where labels are words, of which there must be two then; None
    where they are numbers. where: the file, for messages. Raises InputError if the words do not fit.
    """
    if positive is None:
        number = pd.to_numeric(labels, errors="coerce")  # 1.0 is how pandas writes 1 beside missing values
        return labels.where(~number.isin([0, 1]), number.map({0: "0", 1: "1"}))
    words = sorted(labels[labels != ""].unique())
    if positive not in words:
        raise InputError(f"{where}: no label is {positive!r}; set dataset.positive to one of {words[:10]}")
    if len(words) > 2:
        raise InputError(
            f"{where}: two different labels are needed, but there are {len(words)}: {words[:10]}"
        )
    return labels.where(labels == "", (labels == positive).astype(int).astype(str))
