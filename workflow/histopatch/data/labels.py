"""Labels as people write them, to 0 and 1."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from histopatch.data.names import quote
from histopatch.errors import InputError

SHOWN = 5  # labels in a message


def binary_labels(blocks: Iterable[pd.DataFrame], positive: str | None, where: str) -> Iterator[pd.DataFrame]:
    """Yield blocks of rows with their `label` as the text `0` or `1`; what is neither stays as it is.

    positive: the label of the positive class where labels are words, of which there must be two then; None
    where they are numbers. where: the file, for messages. Raises InputError after the last block if the words
    do not fit, and if words are the rule although none is named.
    """
    found: Counter[str] = Counter()
    for block in blocks:
        found.update(block.label.value_counts().to_dict())
        if positive is None:
            label = _as_binary(block.label, _numbers(block.label.unique()))
        else:
            label = block.label.where(block.label == "", (block.label == positive).astype(int).astype(str))
        yield block.assign(label=label)
    counts = pd.Series(dict(found.most_common()), dtype=int).drop("", errors="ignore")
    if positive is None:
        _check_numbers(counts, where)
    else:
        _check_words(counts, positive, where)


def _check_numbers(counts: pd.Series, where: str) -> None:
    words = counts[_numbers(counts.index).isna()]
    if 2 * words.sum() > counts.sum():
        raise InputError(
            f"{where}: the labels are words ({shown(words)}); set dataset.positive to the positive one"
        )


def _check_words(counts: pd.Series, positive: str, where: str) -> None:
    if positive not in counts:
        known = ", ".join(map(quote, counts.index[:SHOWN]))
        raise InputError(f"{where}: no label is {quote(positive)}; set dataset.positive to one of {known}")
    if len(counts) != 2:
        raise InputError(f"{where}: two different labels are needed, but there are {shown(counts)}")


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
