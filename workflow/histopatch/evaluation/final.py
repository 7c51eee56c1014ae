"""How good the final model is: what is chosen on some patches is measured on others."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from histopatch.evaluation.by_group import auc_by_group
from histopatch.evaluation.measured_on import MEASURED_ON, validated_on
from histopatch.evaluation.predictions import read_kept, read_slides
from histopatch.evaluation.split_half import Part, halves
from histopatch.files import write_json, write_table
from histopatch.statistics.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability_table,
)
from histopatch.statistics.metrics import fold_aurocs, summarise
from histopatch.statistics.operating_points import at_threshold, choose_thresholds
from histopatch.statistics.roc import precision_recall, roc_band


def final_tables(
    best: str,
    predictions: Sequence[str],
    held_out: str | None,
    split: str,
    rules: dict,
    prevalences: Sequence[float],
    tables: dict[str, str],
) -> None:
    """Measure the final model and write `metrics` (JSON) and the tables that its figures are drawn from.

    best: the choice (JSON); predictions: those of its folds on the validation part; held_out: those on the
    part that is held out, or None; split: its table, and rules: the same as configured. tables: where to
    write `metrics`, `operating_points`, `reliability`, `roc`, `precision_recall` and `auc_by_group`.

    Thresholds and the temperature are chosen on the validation part and reported on the part that is held
    out. Without one they are chosen on one half of the validation part, of its slides where those are
    known, and reported on the other half.
    """
    slides = read_slides(split)
    validation = Part("validation patches", read_kept(predictions, slides))
    measured = Part("held-out patches", read_kept([held_out], slides)) if held_out else validation
    choosing, reporting = (validation, measured) if held_out else halves(validation)
    write_json(_metrics(best, validation, measured, rules), tables["metrics"])
    write_table(_operating_points(choosing, reporting, prevalences), tables["operating_points"])
    write_table(_reliability(choosing, reporting), tables["reliability"])
    kept = measured.kept
    write_table(roc_band(kept.labels, kept.probabilities, kept.several_slides), tables["roc"])
    write_table(precision_recall(kept.labels, kept.probabilities), tables["precision_recall"])
    by_group = auc_by_group(validation.kept, measured.kept if held_out else None)
    write_table(by_group, tables["auc_by_group"])


def _metrics(best: str, validation: Part, measured: Part, rules: dict) -> dict:
    choice = json.loads(Path(best).read_text())
    kept = validation.kept
    kind = validated_on(rules)
    if measured is not validation and kept.slides is not None:
        kind = MEASURED_ON["slide"]  # what is held out is so by slide, whatever the folds are made of
    aurocs = fold_aurocs(kept.labels, kept.probabilities, kept.folds)
    return {
        "final_folder": choice["final_folder"],
        "validated_on": validated_on(rules),
        "folds": rules["folds"],
        **{f"val_{name}": value for name, value in _summary(validation).items()},
        "val_fold_auc_mean": float(aurocs.mean()),
        "val_fold_auc_sd": float(aurocs.std(ddof=1)) if len(aurocs) > 1 else None,
        "temperature": fit_temperature(kept.labels, kept.probabilities),
        "measured": {"on": measured.name, "kind": kind, **_summary(measured)},
        "note": _note(choice["chosen_from"], measured is not validation, rules["folds"]),
    }


def _note(chosen_from: int, held_out: bool, folds: int) -> str:
    """What to think of the metrics."""
    notes = []
    if chosen_from > 1:
        notes.append(
            f"The run was chosen among {chosen_from} by validation patches, which makes the figures that "
            "begin with `val_` optimistic; on new patches expect less."
        )
    if held_out:
        notes.append("Figures under `measured` are of patches that no choice has seen.")
    if folds > 1:
        notes.append(
            f"Validation patches are predicted by one of {folds} networks each, other patches by the mean of "
            "all, whose probabilities are nearer to the middle: thresholds chosen on the former may be off."
        )
    return " ".join(notes)


def _summary(part: Part) -> dict:
    return summarise(part.kept.labels, part.kept.probabilities, part.kept.slides)


def _operating_points(choosing: Part, reporting: Part, prevalences: Sequence[float]) -> pd.DataFrame:
    """A row for each threshold: where it was chosen, and what it does where it is reported."""
    thresholds = choose_thresholds(choosing.kept.labels, choosing.kept.probabilities)
    rows = []
    for point, threshold in thresholds.items():
        result = at_threshold(reporting.kept.labels, reporting.kept.probabilities, threshold, prevalences)
        elsewhere = {
            f"{name}_at_{there['prevalence']:g}": there[name]
            for there in result.pop("at_prevalence")
            for name in ("ppv", "npv")
        }
        places = {"point": point, "chosen_on": choosing.name, "reported_on": reporting.name}
        rows.append(places | result | elsewhere)
    return pd.DataFrame(rows)


def _reliability(choosing: Part, reporting: Part) -> pd.DataFrame:
    """The reliability table of the reported patches before and after temperature scaling."""
    temperature = fit_temperature(choosing.kept.labels, choosing.kept.probabilities)
    raw = reporting.kept.probabilities
    calibrated = apply_temperature(raw, temperature)
    tables = [
        reliability_table(reporting.kept.labels, probabilities).assign(
            calibration=calibration,
            temperature=divided_by,
            ece=expected_calibration_error(reporting.kept.labels, probabilities),
            fitted_on=choosing.name,
            reported_on=reporting.name,
        )
        for calibration, divided_by, probabilities in (
            ("before", 1.0, raw),
            ("after", temperature, calibrated),
        )
    ]
    return pd.concat(tables)
