"""The final model on external data sets: what was chosen is carried over, nothing is chosen anew."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.evaluation.ensemble import read_held_out
from histopatch.evaluation.predictions import Predictions, known_patches
from histopatch.files import read_table, write_table
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.metrics import METRICS
from histopatch.statistics.operating_points import at_threshold
from histopatch.statistics.recalibration import Recalibration, recalibrate
from histopatch.statistics.weak_calibration import weak_calibration

SUFFIXES = ("", "_low", "_high")


def external_tables(
    metrics: str,
    operating_points: str,
    sets: Mapping[str, Mapping[str, str]],
    ensemble: Ensemble,
    table: str,
    points: str,
) -> None:
    """Measure the final model on external data sets.

    metrics: metrics.json of the final model, whose `recalibration` was fitted on its validation patches;
    operating_points: its table, with thresholds that were chosen there; sets: the files `patches` (a split),
    `predictions` and `shared` of each data set by name; ensemble: how the networks are averaged.

    table: a row for each `set` with `patches`, `positive`, `slides` and `patients` (empty where unknown),
    how many patches are `shared` with the own data, `shared_near` of them as near duplicates, the metrics
    of `statistics.metrics` with the interval of the AUROC, and `intercept` and `slope` of the calibration
    with intervals before and after (`…_after`) the recalibration, with `brier_after`. Where ranks are
    averaged, which are no probabilities, there is no calibration. points: a row for each `set` and
    `point`, as `operating_points.at_threshold` has it.
    """
    recalibration = Recalibration(**json.loads(Path(metrics).read_text())["recalibration"])
    thresholds = read_table(operating_points).set_index("point").threshold
    rows, calls = [], []
    for name, files in sets.items():
        with known_patches(files["patches"]) as patches:
            predictions = read_held_out(files["predictions"], ensemble, patches).together
        shared = read_table(files["shared"])
        row = {"set": name, "shared": len(shared), "shared_near": int((shared.kind == "near").sum())}
        row |= predictions.summarise()
        if ensemble.average != "rank":
            after = recalibrate(predictions.probabilities, recalibration)
            row |= _calibration(predictions, predictions.probabilities, "")
            row |= _calibration(predictions, after, "_after")
            row["brier_after"] = METRICS["brier"].compute(predictions.labels, after)
        rows.append(row)
        for point, threshold in thresholds.items():
            result = at_threshold(
                predictions.labels, predictions.probabilities, threshold, [], predictions.units
            )
            del result["at_prevalence"]
            calls.append({"set": name, "point": point} | result)
    write_table(pd.DataFrame(rows).astype({"slides": "Int64", "patients": "Int64"}), table)
    write_table(pd.DataFrame(calls), points)


def _calibration(predictions: Predictions, probabilities: np.ndarray, when: str) -> dict:
    """Intercept and slope with their intervals; what is infinite, as it is unknown, is empty."""
    fitted = weak_calibration(predictions.labels, probabilities, predictions.units)
    return {
        f"{name}{when}{suffix}": value if np.isfinite(value) else None
        for name, coefficient in fitted._asdict().items()
        for suffix, value in zip(SUFFIXES, coefficient, strict=True)
    }
