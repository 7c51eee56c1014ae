"""The final model as an ensemble: what its members predict together and alone, and what that gains."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from histopatch.database import Database
from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Predictions, read_predictions
from histopatch.statistics.ensembles import Ensemble, average


class Pooled(NamedTuple):
    """Predictions of the same patches by the final model and by each of its members, the best first."""

    together: Predictions
    alone: list[Predictions]


def read_validation(paths: Sequence[str], ensemble: Ensemble, patches: Database) -> Pooled:
    """The predictions (CSV) of validation patches, of every fold of one member after the other.

    Each patch is predicted by the trainings that did not see it, one of each member. patches: as
    `known_patches` yields them.
    """
    folds = len(paths) // ensemble.members
    starts = range(0, len(paths), folds)
    members = [read_predictions(paths[start : start + folds], patches) for start in starts]
    alone = [_combine([member], ensemble.average) for member in members]
    return Pooled(_combine(members, ensemble.average), alone)


def read_held_out(path: str, ensemble: Ensemble, patches: Database) -> Pooled:
    """The predictions (CSV) of held-out patches, with a column for each of several members."""
    together = read_predictions([path], patches)
    if ensemble.members == 1:
        return Pooled(together, [together])
    columns = [f"member_{member + 1}" for member in range(ensemble.members)]
    return Pooled(together, [read_predictions([path], patches, column) for column in columns])


def read_measured(
    predictions: Sequence[str], held_out: str | None, ensemble: Ensemble, patches: Database
) -> Pooled:
    """What the final model is measured on: the held-out patches, or where there are none the validation ones.

    predictions: as of `read_validation`; held_out: as of `read_held_out`, or None.
    """
    if held_out:
        return read_held_out(held_out, ensemble, patches)
    return read_validation(predictions, ensemble, patches)


def gain(pooled: Pooled, members: list[dict]) -> dict:
    """The AUROC of each member, and the paired difference of the ensemble to its best member.

    members: `run` and `final_folder` of each. The best member is the first, which would be the final model
    by itself: it was chosen on validation patches, before the patches here were predicted.
    """
    together, alone = pooled
    (difference,) = paired_contrasts([together, alone[0]], np.array([[1, -1]]))
    return {
        "members": [
            {
                "run": member["run"],
                "final_folder": member["final_folder"],
                "auc": predictions.fold_aurocs.mean(),
            }
            for member, predictions in zip(members, alone, strict=True)
        ],
        "gain": {
            "over": members[0]["run"],
            "auc_difference": difference.difference,
            "auc_difference_low": difference.low,
            "auc_difference_high": difference.high,
            "p_value": None if math.isnan(difference.p_value) else difference.p_value,
            "test": "DeLong" if together.units is None else f"{together.unit} jackknife",
        },
    }


def _combine(members: list[Predictions], by: str) -> Predictions:
    """Average the members' predictions; ranks are within what the same training predicted."""
    first, networks = members[0], np.stack([member.probabilities for member in members])
    values = np.empty(len(first.labels))
    for fold in np.unique(first.folds):
        own = networks[:, first.folds == fold]
        values[first.folds == fold] = average(own, by, references=own)
    return first._replace(probabilities=values)
