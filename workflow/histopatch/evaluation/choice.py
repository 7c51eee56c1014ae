"""What the comparison of a study is worth: the optimism of its highest AUROC, and how fine it is."""

from itertools import combinations

import numpy as np
import pandas as pd

from histopatch.evaluation.predictions import Predictions, read_run_predictions
from histopatch.failures import finished
from histopatch.files import read_table, write_table
from histopatch.statistics.auroc import precision_by_slide, slides_of_the_rarer_class
from histopatch.statistics.sample_size import detectable_difference, slides_for_margin
from histopatch.statistics.selection import auroc_of_the_choice, enough_to_correct

COLUMNS = [
    "study", "run", "chosen_from", "val_auc", "corrected_val_auc", "unit", "units", "rarer_units",
    "units_for_0.01", "detectable_difference",
]  # fmt: skip


def choice_table(
    runs: list[dict], root: str, split_tables: dict[str, str], runs_table: str, table: str
) -> None:
    """Write one row, with COLUMNS, for each study, from the table of all runs.

    runs, root, split_tables: as in `read_run_predictions`. `run` has the highest AUROC, `val_auc`, of the
    `chosen_from` runs that were validated on the same patches, of slides that are as new to them;
    `corrected_val_auc` is what the choice leads to on slides that had no part in it, at most `val_auc`.
    `unit` says whether slides or patients count; there are so many `units`, of which `rarer_units` have
    patches of the rarer class. `units_for_0.01` would give the run an interval of ± 0.01. A difference of two
    runs of `detectable_difference` is found with 80 % power by the tests of the study, in the median over all
    pairs.
    Where no slides are known, or too few, columns are empty.
    """
    rows = finished(read_table(runs_table))
    known = [run for run in runs if run["folder"] in {*rows.folder}]
    predictions = read_run_predictions(known, root, split_tables)
    choices = [_row(study, predictions) for _, study in rows.groupby("study", sort=False)]
    write_table(pd.DataFrame(choices, columns=COLUMNS), table)


def _row(study: pd.DataFrame, predictions: dict[str, Predictions]) -> dict:
    best = study.loc[study.final_val_auc.idxmax()]
    own = predictions[best.folder]
    alike = study[(study.validated_on == best.validated_on) & (study.folder != best.folder)]
    others = [predictions[folder] for folder in alike.folder]
    compared = [own, *(other for other in others if np.array_equal(other.places, own.places))]
    row = {"study": best.study, "run": best.run, "chosen_from": len(compared), "val_auc": best.final_val_auc}
    return row if own.units is None else row | _by_unit(compared)


def _by_unit(compared: list[Predictions]) -> dict:
    """The columns that need slides or patients; the first run is the best."""
    own = compared[0]
    scores, folds = [run.probabilities for run in compared], [run.folds for run in compared]
    count, rarer = len(np.unique(own.units)), slides_of_the_rarer_class(own.labels, own.units)
    row = {"unit": own.unit, "units": count, "rarer_units": rarer}
    pairs = [*combinations(np.eye(len(compared)), 2)]
    precision = precision_by_slide(own.labels, scores, [a - b for a, b in pairs], own.units, folds=folds)
    if precision is None:
        return row
    row["units_for_0.01"] = slides_for_margin(precision.errors[0], count, rarer, margin=0.01)
    if pairs:
        error = np.median(precision.contrast_errors)
        found = detectable_difference(error, rarer - 1, precision.critical)
        row["detectable_difference"] = round(found, 6)
        if enough_to_correct(own.labels, own.units):
            corrected = auroc_of_the_choice(own.labels, scores, own.units, folds)
            row["corrected_val_auc"] = round(min(corrected, own.fold_aurocs.mean()), 6)
    return row
