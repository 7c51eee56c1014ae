"""Performance of the final model: what is chosen on some patches is reported on others."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.data.folds import read_sides
from histopatch.evaluation.by_group import auc_by_group
from histopatch.evaluation.ensemble import gain, read_held_out, read_validation
from histopatch.evaluation.predictions import known_patches
from histopatch.evaluation.sample_splitting import Subset, split_in_half
from histopatch.evaluation.split_descriptions import evaluated_on, held_out_on
from histopatch.failures import check_final
from histopatch.files import write_json, write_table
from histopatch.settings import Split
from histopatch.statistics.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_table,
)
from histopatch.statistics.curves import precision_recall, roc_band
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.net_benefit import decision_curve
from histopatch.statistics.operating_points import at_threshold, choose_thresholds
from histopatch.statistics.recalibration import Recalibration, fit_recalibration, recalibrate
from histopatch.statistics.selective import at_confidence, choose_confidences, risk_coverage
from histopatch.statistics.weak_calibration import weak_calibration


def final_tables(
    best: str,
    predictions: Sequence[str],
    held_out: str | None,
    ensemble: Ensemble,
    split: Split,
    split_table: str,
    prevalences: Sequence[float],
    tables: dict[str, str],
) -> None:
    """Evaluate the final model; write `metrics` (JSON) and the tables that its figures are drawn from.

    best: which runs were chosen (JSON); predictions: those of their folds on the validation patches, one run
    after the other; held_out: those of the final model on the held-out patches, or None; ensemble: how its
    runs are averaged; split and split_table: the split of the runs and its table.
    tables: paths of `metrics`, `operating_points`, `reliability`, `roc`, `precision_recall`,
    `decision_curve`, `abstaining`, `error_by_coverage` and `auc_by_group`.

    Thresholds, those of abstaining too, and the recalibration are chosen on the validation patches and
    reported on the held-out ones. If nothing is held out, they are chosen on one half of the validation
    patches and reported on the other, with whole slides or patients in each half if these are known. Where
    ranks are averaged, which are no probabilities, `reliability`, `decision_curve` and `abstaining` have no
    rows. Raises InputError if the final training failed.
    """
    check_final(predictions)
    with known_patches(split_table) as patches:
        validated = read_validation(predictions, ensemble, patches)
        reported = read_held_out(held_out, ensemble, patches) if held_out else validated
    validation = Subset("validation patches", validated.together)
    measured = Subset("held-out patches", reported.together) if held_out else validation
    choice = json.loads(Path(best).read_text())
    metrics = _metrics(choice, validation, measured, ensemble, split, split_table)
    if ensemble.members > 1:
        gained = gain(reported, choice["members"])
        metrics["ensemble"] = {"average": ensemble.average, "on": measured.name} | gained
    write_json(metrics, tables["metrics"])
    choosing, reporting = (validation, measured) if held_out else split_in_half(validation)
    write_table(_operating_points(choosing, reporting, prevalences), tables["operating_points"])
    labels, probabilities = measured.predictions.labels, measured.predictions.probabilities
    write_table(roc_band(labels, probabilities, measured.predictions.units), tables["roc"])
    write_table(precision_recall(labels, probabilities), tables["precision_recall"])
    of_probabilities = {
        "reliability": _reliability(choosing, reporting),
        "decision_curve": decision_curve(labels, probabilities, measured.predictions.units),
        "abstaining": _abstaining(choosing, reporting),
    }
    for name, table in of_probabilities.items():
        write_table(table[:0] if ensemble.average == "rank" else table, tables[name])
    coverage = risk_coverage(reporting.predictions.labels, reporting.predictions.probabilities)
    write_table(coverage, tables["error_by_coverage"])
    by_group = auc_by_group(validation.predictions, measured.predictions if held_out else None)
    write_table(by_group, tables["auc_by_group"])


def _metrics(
    choice: dict, validation: Subset, measured: Subset, ensemble: Ensemble, split: Split, split_table: str
) -> dict:
    predictions, sides = validation.predictions, read_sides(split_table)
    validated_on = evaluated_on(split, sides)
    kind = validated_on if measured is validation else held_out_on(split, sides)
    del sides  # of millions of patches
    aurocs = predictions.fold_aurocs
    recalibration = fit_recalibration(predictions.labels, predictions.probabilities)
    return {
        "final_folder": choice["final_folder"],
        "validated_on": validated_on,
        "folds": split.folds,
        **{f"val_{name}": value for name, value in _summary(validation).items()},
        "val_fold_auc_mean": float(aurocs.mean()),
        "val_fold_auc_sd": float(aurocs.std(ddof=1)) if len(aurocs) > 1 else None,
        "recalibration": recalibration._asdict(),
        "measured": {
            "on": measured.name,
            "held_out": measured is not validation,
            "kind": kind,
            **_summary(measured),
            "units": measured.predictions.describe_units(),
            "calibration": _calibration(measured),
        },
        "note": _note(
            choice["chosen_from"], measured is not validation, ensemble, split.folds, recalibration
        ),
    }


def _note(
    chosen_from: int, held_out: bool, ensemble: Ensemble, folds: int, recalibration: Recalibration
) -> str:
    """How to read the metrics."""
    notes, several = [], ensemble.members > 1
    if chosen_from > 1:
        chosen, its = ("runs were", "their") if several else ("run was", "its")
        on = (
            "the validation patches; the held-out patches took no part in it."
            if held_out
            else "these very patches: expect less on new ones."
        )
        notes.append(
            f"The {chosen} chosen among {chosen_from} by {its} validation metric, which flatters {its} "
            f"results on {on}"
        )
    elif held_out:
        notes.append("The held-out patches took no part in the training or in any choice on this split.")
    if several and not held_out:
        notes.append(
            "Nothing is held out: the gain of the ensemble is of the patches that chose its members."
        )
    if folds > 1:
        networks, own = folds * ensemble.members, ensemble.members
        by = "the one network that did" if own == 1 else f"the {own} networks that did"
        notes.append(
            f"With {folds} folds the model is {networks} networks. A validation patch is predicted by {by} "
            f"not train on it, a new patch by the mean of the {networks}. Means are less extreme, so a "
            "threshold that was chosen on validation patches may give another sensitivity and specificity on "
            "new ones" + (", as the operating points show." if held_out else ".")
        )
    if ensemble.average == "rank":
        notes.append(
            "The predictions are mean ranks, not probabilities: log loss, Brier score and calibration say "
            "nothing about them."
        )
    if recalibration.flattens:
        notes.append(
            "Recalibration makes all probabilities nearly the share of positives: they are no higher for "
            "positive validation patches than for negative ones, or a few very confident ones are wrong."
        )
    return " ".join(notes)


def _summary(subset: Subset) -> dict:
    return subset.predictions.summarise()


def _calibration(subset: Subset) -> dict:
    """Calibration intercept and slope with their intervals, and the calibration error by chance alone.

    What is infinite, or not a number, is None, as JSON has neither.
    """
    labels, probabilities = subset.predictions.labels, subset.predictions.probabilities
    fitted = weak_calibration(labels, probabilities, subset.predictions.units)
    values = {
        f"{name}{suffix}": value
        for name, coefficient in fitted._asdict().items()
        for suffix, value in zip(("", "_low", "_high"), coefficient, strict=True)
    }
    chance = calibration_error_by_chance(probabilities)
    values |= {"ece_by_chance": chance.mean, "ece_by_chance_high": chance.high}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def _abstaining(choosing: Subset, reporting: Subset) -> pd.DataFrame:
    """One row per share of patches on which the model abstains: how many of its other calls are wrong."""
    thresholds = choose_confidences(choosing.predictions.probabilities)
    labels, probabilities = reporting.predictions.labels, reporting.predictions.probabilities
    rows = [
        {"share": share, "chosen_on": choosing.name, "reported_on": reporting.name}
        | at_confidence(labels, probabilities, threshold, reporting.predictions.units)
        for share, threshold in thresholds.items()
    ]
    return pd.DataFrame(rows)


def _operating_points(choosing: Subset, reporting: Subset, prevalences: Sequence[float]) -> pd.DataFrame:
    """One row per threshold: where it was chosen, and what it achieves where it is reported."""
    thresholds = choose_thresholds(choosing.predictions.labels, choosing.predictions.probabilities)
    labels, probabilities = reporting.predictions.labels, reporting.predictions.probabilities
    rows = []
    for point, threshold in thresholds.items():
        result = at_threshold(labels, probabilities, threshold, prevalences, reporting.predictions.units)
        predictive_values = {
            f"{name}_at_{values['prevalence']:g}{bound}": values[f"{name}{bound}"]
            for values in result.pop("at_prevalence")
            for name in ("ppv", "npv")
            for bound in ("", "_low", "_high")
        }
        subsets = {"point": point, "chosen_on": choosing.name, "reported_on": reporting.name}
        rows.append(subsets | result | predictive_values)
    return pd.DataFrame(rows)


def _reliability(choosing: Subset, reporting: Subset) -> pd.DataFrame:
    """The reliability tables of the reported patches before and after logistic recalibration."""
    fitted = fit_recalibration(choosing.predictions.labels, choosing.predictions.probabilities)
    labels, raw = reporting.predictions.labels, reporting.predictions.probabilities
    tables = [
        reliability_table(labels, probabilities).assign(
            calibration=calibration,
            recalibration_intercept=recalibration.intercept,
            recalibration_slope=recalibration.slope,
            ece=expected_calibration_error(labels, probabilities),
            fitted_on=choosing.name,
            reported_on=reporting.name,
        )
        for calibration, recalibration, probabilities in (
            ("before", Recalibration(), raw),
            ("after", fitted, recalibrate(raw, fitted)),
        )
    ]
    return pd.concat(tables)
