"""Labels as people write them, to 0 and 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.data.names import quote
from histopatch.errors import InputError

SHOWN = 5  # labels in a message


def binary_labels(labels: pd.Series, positive: str | None, where: str) -> pd.Series:
    """Labels as the texts `0` and `1`; what is neither stays as it is, for cleaning to reject.

    positive: the label of the positive class where labels are words, of which there must be two then; None
    where they are numbers. where: the file, for messages. Raises InputError if the words do not fit, and if
    words are the rule although none is named.
    """
    counts = labels[labels != ""].value_counts()
    if positive is None:
        number = _numbers(counts.index)
        if 2 * counts[number.isna()].sum() > counts.sum():
            words = shown(counts[number.isna()])
            raise InputError(
                f"{where}: the labels are words ({words}); set dataset.positive to the positive one"
            )
        return _as_binary(labels, number)
    if positive not in counts:
        known = ", ".join(map(quote, counts.index[:SHOWN]))
        raise InputError(f"{where}: no label is {quote(positive)}; set dataset.positive to one of {known}")
    if len(counts) != 2:
        raise InputError(f"{where}: two different labels are needed, but there are {shown(counts)}")
    return labels.where(labels == "", (labels == positive).astype(int).astype(str))


def _numbers(texts: Sequence[str]) -> pd.Series:
    """The number that each text writes, NaN where it writes none, by the text."""
    return pd.to_numeric(pd.Series(texts, texts), errors="coerce")


def _as_binary(labels: pd.Series, numbers: pd.Series) -> pd.Series:
    """Labels that write 0 or 1 as these texts: 1.0 is how pandas writes 1 beside missing values."""
    binary = {label: str(int(value)) for label, value in numbers.items() if value in (0, 1)}
    return labels.map(lambda label: binary.get(label, label))


def known_labels(rows: pd.DataFrame, where: str) -> np.ndarray:
    """The labels of a table, `0`, `1` or an empty text where it is not known.

    rows: with `label` and its line, `row`, as `read_columns` returns them; where: the file, for messages.
    Raises InputError for any other label.
    """
    labels = _as_binary(rows.label, _numbers(rows.label.unique()))
    if (other := ~labels.isin(["0", "1", ""])).any():
        first = rows[other].iloc[0]
        raise InputError(f"{where}: line {first.row}: the label is {quote(first.label)}; use 0, 1 or nothing")
    return labels.to_numpy()


def shown(counts: pd.Series) -> str:
    """The commonest labels with how many rows have each; counts: by label, the commonest first."""
    listed = [f"{quote(label)} {count:,} times" for label, count in counts.head(SHOWN).items()]
    return ", ".join(listed) + (f" and {len(counts) - SHOWN:,} others" if len(counts) > SHOWN else "")
