"""The submission: one probability for every test image."""

import pandas as pd

from histopatch.errors import InputError
from histopatch.files import read_table, write_table
from histopatch.statistics.temperature import apply_temperature


def write_submission(
    predictions: str, sample: str | None, submission: str, temperature: float | None = None
) -> None:
    """Write `id,label` for Kaggle, where `label` is the probability of the positive class, in [0, 1].

    predictions: CSV `id,probability`; sample: a sample submission, whose ids and order are used, or None for
    those of the predictions; temperature: calibrate the probabilities
    with it, which changes no ranking, or None to leave them raw. Raises InputError if an id is missing or
    duplicated, or a value is not a probability.
    """
    predicted = read_table(predictions)
    if sample:
        wanted, source = read_table(sample), sample
        if "id" not in wanted:
            raise InputError(f"{sample}: there is no column 'id'; the first line must be `id,label`")
        ids = wanted.id
    else:
        ids, source = predicted.id, predictions
    for table, path in ((ids, source), (predicted.id, predictions)):
        duplicates = table[table.duplicated()]
        if len(duplicates):
            raise InputError(f"{path}: the id {duplicates.iloc[0]!r} appears twice; remove one")
    labels = pd.to_numeric(ids.map(predicted.set_index("id").probability), errors="coerce")
    if labels.isna().any():
        raise InputError(
            f"{source}: {labels.isna().sum()} of {len(ids)} ids have no prediction, the first is "
            f"{ids[labels.isna()].iloc[0]!r}; the test image is missing or could not be read, see "
            "pack/test.rejected.csv"
        )
    if not labels.between(0, 1).all():
        raise InputError(f"{predictions}: {labels[~labels.between(0, 1)].iloc[0]} is not a probability")
    if temperature is not None:
        labels = apply_temperature(labels.to_numpy(), temperature)
    write_table(pd.DataFrame({"id": ids, "label": labels}), submission)
