"""How good the final model is: what is chosen on some patches is measured on others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from pcam.errors import InputError
from pcam.evaluation.auroc import delong
from pcam.evaluation.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability_table,
)
from pcam.evaluation.kept import Kept, read_kept, read_slides
from pcam.evaluation.metrics import fold_aurocs, summarise
from pcam.evaluation.operating_points import at_threshold, choose_thresholds
from pcam.evaluation.roc import precision_recall, roc_band
from pcam.evaluation.validated import validated_on
from pcam.files import write_json, write_table


class Part(NamedTuple):
    """Predictions of the final model, and which patches they are of."""

    name: str
    kept: Kept


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
    write_table(roc_band(kept.labels, kept.probabilities, _several(kept.slides)), tables["roc"])
    write_table(precision_recall(kept.labels, kept.probabilities), tables["precision_recall"])
    parts = {"validation": validation.kept} | ({"held out": measured.kept} if held_out else {})
    write_table(auc_by_group(parts), tables["auc_by_group"])


def halves(part: Part) -> tuple[Part, Part]:
    """Divide a part at random in two, the classes in proportion; slides stay whole where there are several.

    Where a class is on one slide only, its patches have to be divided, and the names say so. Raises
    InputError where a class has fewer than two patches.
    """
    labels, slides = part.kept.labels, _several(part.kept.slides)
    if np.bincount(labels, minlength=2).min() < 2:
        raise InputError(f"{part.name}: two of each class are needed; let more patches validate")
    name, chosen = part.name, _half(labels, slides)
    if slides is not None and min(len(set(labels[half])) for half in (chosen, ~chosen)) < 2:
        name, chosen = f"{name}, slides divided", _half(labels, None)
    return (
        Part(f"one half of the {name}", part.kept.only(chosen)),
        Part(f"the other half of the {name}", part.kept.only(~chosen)),
    )


def auc_by_group(parts: dict[str, Kept]) -> pd.DataFrame:
    """A row for each slide of each part, or for each fold where slides are not known.

    Columns: `part`, `kind` (slide or fold), `group`, `patches`, `positive`, and `auc` with DeLong's 95 %
    interval as `auc_low` and `auc_high`, empty where a group has one class only.
    """
    rows = []
    for part, kept in parts.items():
        kind, groups = ("fold", kept.folds) if kept.slides is None else ("slide", kept.slides)
        for group in np.unique(groups):
            labels, probabilities = kept.labels[groups == group], kept.probabilities[groups == group]
            both = 0 < labels.sum() < len(labels)
            interval = delong(labels, probabilities) if both else (None, None, None)
            row = {
                "part": part,
                "kind": kind,
                "group": group,
                "patches": len(labels),
                "positive": labels.sum(),
            }
            rows.append(row | dict(zip(("auc", "auc_low", "auc_high"), interval, strict=True)))
    return pd.DataFrame(rows)


def _half(labels: np.ndarray, slides: np.ndarray | None) -> np.ndarray:
    """Which patches are in one random half, the classes in proportion, slides whole: N booleans."""
    splitter = StratifiedKFold if slides is None else StratifiedGroupKFold
    _, half = next(splitter(2, shuffle=True, random_state=0).split(labels, labels, slides))
    return np.isin(np.arange(len(labels)), half)


def _several(slides: np.ndarray | None) -> np.ndarray | None:
    """Slides where there are two at least, without which nothing can be drawn by slide."""
    return None if slides is None or len(set(slides)) < 2 else slides


def _metrics(best: str, validation: Part, measured: Part, rules: dict) -> dict:
    choice = json.loads(Path(best).read_text())
    kept = validation.kept
    note = (
        f"The run was chosen among {choice['chosen_from']} on these same validation patches, which makes "
        "the figures that begin with `val_` optimistic"
    )
    if measured is validation:
        note += "; on new patches expect less."
    else:
        note += "; those under `measured` are of patches that no choice has seen."
    aurocs = fold_aurocs(kept.labels, kept.probabilities, kept.folds)
    return {
        "final_folder": choice["final_folder"],
        "validated_on": validated_on(rules),
        "folds": rules["folds"],
        **{f"val_{name}": value for name, value in _summary(validation).items()},
        "val_fold_auc_mean": float(aurocs.mean()),
        "val_fold_auc_sd": float(aurocs.std(ddof=1)) if len(aurocs) > 1 else None,
        "temperature": fit_temperature(kept.labels, kept.probabilities),
        "measured": {"on": measured.name, **_summary(measured)},
        "note": note,
    }


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
