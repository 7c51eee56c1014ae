"""The submission: one probability for every test id."""

import pandas as pd

from histopatch.data.names import quote
from histopatch.errors import InputError
from histopatch.files import read_table, write_table
from histopatch.statistics.recalibration import Recalibration, recalibrate


def write_submission(
    predictions: str,
    test_ids: str,
    unusable: str | float,
    submission: str,
    recalibration: Recalibration | None = None,
) -> None:
    """Write `id,label` for Kaggle, where `label` is the probability of the positive class, in [0, 1].

    predictions: CSV `id,probability`; test_ids: CSV `id,image`, whose ids and order are kept; unusable: the
    probability of ids without an image, if there are any; recalibration: of the other probabilities, which
    changes no ranking, or None to leave them raw. Raises InputError if a value is no probability.
    """
    predicted, wanted = read_table(predictions), read_table(test_ids)
    repeated = predicted.id[predicted.id.duplicated()]
    if len(repeated):
        raise InputError(f"{predictions}: the id {quote(repeated.iloc[0])} appears twice; remove one")
    usable = wanted.image.notna()
    labels = pd.to_numeric(wanted.image.map(predicted.set_index("id").probability), errors="coerce")
    if labels[usable].isna().any():
        first = wanted.image[usable & labels.isna()].iloc[0]
        raise InputError(f"{predictions}: there is no probability of {quote(first)}; remove the file")
    if not labels[usable].between(0, 1).all():
        first = labels[usable & ~labels.between(0, 1)].iloc[0]
        raise InputError(f"{predictions}: {first} is not a probability; remove the file")
    if recalibration is not None:
        labels[usable] = recalibrate(labels[usable].to_numpy(), recalibration)
    labels = labels.where(usable, unusable).astype(float)
    write_table(pd.DataFrame({"id": wanted.id, "label": labels}), submission)
