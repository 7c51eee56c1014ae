"""Every patch that the final model gets wrong at one operating point, for somebody to look at."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.evaluation.ensemble import read_measured
from histopatch.evaluation.predictions import Predictions, ids_at, known_patches
from histopatch.failures import check_final
from histopatch.files import read_table, write_table
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.operating_points import BALANCED

COLUMNS = ["id", "label", "probability", "call", "slide"]


def errors_table(
    predictions: Sequence[str],
    held_out: str | None,
    ensemble: Ensemble,
    split_table: str,
    operating_points: str,
    table: str,
) -> None:
    """Write the patches that are misclassified at BALANCED, COLUMNS, the most confident mistakes first.

    They are among those that the final model is measured on. predictions: of its folds on the validation
    patches, one run after the other; held_out: those on the held-out patches, or None; ensemble: how its runs
    are averaged; split_table: knows the slides; operating_points: CSV `point,threshold`. Raises InputError if
    the final training failed.
    """
    check_final(predictions)
    with known_patches(split_table) as patches:
        measured = read_measured(predictions, held_out, ensemble, patches).together
    points = read_table(operating_points).set_index("point")
    wrong = misclassified(measured, points.threshold[BALANCED])
    write_table(wrong.assign(id=ids_at(split_table, wrong.place.to_numpy()))[COLUMNS], table)


def misclassified(predictions: Predictions, threshold: float) -> pd.DataFrame:
    """The misclassified of N patches: COLUMNS with their `place` in the split instead of `id`.

    Patches are called 1 if their probability is at least `threshold`. They are sorted by how much of the way
    from the threshold to the wrong end, 0 or 1, it went.
    """
    calls = (predictions.probabilities >= threshold).astype(int)
    table = pd.DataFrame(
        {
            "place": predictions.places,
            "label": predictions.labels,
            "probability": predictions.probabilities,
            "call": calls,
            "slide": "" if predictions.slides is None else predictions.slides,
        }
    )
    wrong = table[calls != predictions.labels]
    way = np.where(wrong.call == 1, 1 - threshold, threshold)
    went = (wrong.probability - threshold).abs() / np.maximum(way, np.finfo(float).tiny)
    return wrong.iloc[np.argsort(-went.to_numpy(), kind="stable")]
