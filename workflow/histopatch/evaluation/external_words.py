"""The final model on external data sets, in words."""

import pandas as pd

from histopatch.evaluation.markdown import code
from histopatch.statistics.operating_points import CRITERIA


def describe_external(table: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """The section of the summary; table and points: as `external.external_tables` writes them."""
    lines = [
        "Nothing was trained or chosen on these data sets: thresholds and recalibration are those of the own "
        "patches.",
        "",
        "| data set | patches | positive | slides | AUROC | Brier score |",
        "| --- | --: | --: | --: | --- | --: |",
    ]
    for row in table.to_dict("records"):
        slides = "unknown" if pd.isna(row["slides"]) else f"{row['slides']:.0f}"
        area = f"{row['auc']:.4f} ({row['auc_low']:.4f}–{row['auc_high']:.4f}, {row['auc_interval']})"
        cells = [code(row["set"]), f"{row['patches']:,}", f"{row['positive']:,}", slides, area]
        lines.append(f"| {' | '.join([*cells, format(row['brier'], '.4f')])} |")
    lines += [
        "",
        "| data set | threshold chosen for | threshold | sensitivity | specificity |",
        "| --- | --- | --: | --- | --- |",
    ]
    for row in points.to_dict("records"):
        rates = [_bounded(row, name, ".3f") for name in ("sensitivity", "specificity")]
        cells = [code(row["set"]), CRITERIA[row["point"]], f"{row['threshold']:.4f}", *rates]
        lines.append(f"| {' | '.join(cells)} |")
    if "slope" in table:
        lines += [
            "",
            "Calibration (an intercept of 0 and a slope of 1 are right), before and after the recalibration:",
            "",
            "| data set | intercept before | after | slope before | after | Brier score after |",
            "| --- | --- | --- | --- | --- | --: |",
        ]
        for row in table.to_dict("records"):
            names = ("intercept", "intercept_after", "slope", "slope_after")
            cells = [code(row["set"]), *(_bounded(row, name, ".2f") for name in names)]
            lines.append(f"| {' | '.join([*cells, format(row['brier_after'], '.4f')])} |")
    for row in table[table.shared > 0].to_dict("records"):
        lines += [
            "",
            f"**{row['shared']:,} of the {row['patches']:,} patches of {code(row['set'])} show what images "
            "of the own data set show**, so it is not wholly external: "
            f"{row['shared'] - row['shared_near']:,} with the same pixels, in any orientation, and "
            f"{row['shared_near']:,} as near duplicates; `external/{row['set']}/shared.csv` lists them.",
        ]
    return lines


def _bounded(row: dict, name: str, form: str) -> str:
    """A value with its interval; a dash for what is unknown."""
    value, low, high = (
        "–" if pd.isna(row[f"{name}{suffix}"]) else format(row[f"{name}{suffix}"], form)
        for suffix in ("", "_low", "_high")
    )
    return f"{value} ({low} to {high})"
