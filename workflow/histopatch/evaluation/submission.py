"""The submission: one probability for every test image, in the order that was asked for."""

from pathlib import Path

import pandas as pd

from histopatch.data.images import list_images
from histopatch.errors import InputError
from histopatch.files import read_table, write_table
from histopatch.statistics.calibration import apply_temperature


def write_submission(
    predictions: str, folder: str, sample: str | None, submission: str, temperature: float | None = None
) -> None:
    """Write `id,label` for Kaggle: `label` is the probability of a positive, in [0, 1].

    predictions: CSV `id,probability`; folder: the test images; sample: a sample submission, whose ids
    and order are kept, or None, which takes the images of the folder, sorted; temperature: probabilities
    are calibrated with it, which changes no ranking, and None leaves them raw. Raises InputError when
    an id is missing or doubled or a value is no probability.
    """
    predicted = read_table(predictions)
    if sample:
        asked, source = read_table(sample), sample
        if "id" not in asked:
            raise InputError(f"{sample}: there is no column 'id'; the first line must name `id,label`")
        ids = asked.id
    else:
        ids, source = pd.Series([Path(name).stem for name in list_images(Path(folder))]), folder
    for table, where in ((ids, source), (predicted.id, predictions)):
        doubled = table[table.duplicated()]
        if len(doubled):
            raise InputError(f"{where}: the id {doubled.iloc[0]!r} stands there twice; keep one")
    labels = pd.to_numeric(ids.map(predicted.set_index("id").probability), errors="coerce")
    if labels.isna().any():
        raise InputError(
            f"{source}: {labels.isna().sum()} of {len(ids)} ids have no prediction, the first is "
            f"{ids[labels.isna()].iloc[0]!r}; the test image is missing or could not be read, see "
            "pack/test.rejected.csv"
        )
    if not labels.between(0, 1).all():
        raise InputError(f"{predictions}: {labels[~labels.between(0, 1)].iloc[0]} is no probability")
    if temperature is not None:
        labels = apply_temperature(labels.to_numpy(), temperature)
    write_table(pd.DataFrame({"id": ids, "label": labels}), submission)
