"""ROC and precision-recall curves of the final model, whole and enlarged where good curves differ."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from histopatch.figures import operating_points, style
from histopatch.files import read_table

# Smaller from one to the next, so that markers at the same place all show.
MARKERS = (("#D55E00", "o", 12), ("#E69F00", "s", 8.5), ("#000000", "^", 6))
# Sides of the enlarged corner, where the whole has side 1; a larger one would enlarge nothing.
SMALLEST_CORNER, LARGEST_CORNER = 0.06, 0.5


def roc(curve: str, points: str, metrics: str, path: str, dpi: int) -> None:
    """Draw the ROC curve with its confidence band, and the operating points as markers.

    curve: CSV `false_positive_rate,true_positive_rate,low,high`, the last two the pointwise 95 % band.
    points: CSV `point,threshold,sensitivity,specificity,reported_on`. metrics: JSON, of which `measured`
    holds `on`, `auc`, `auc_low`, `auc_high`, `auc_interval`, and `pooled_auc` where `auc` is within folds.
    """
    with style.figure(path, dpi) as figure:
        draw_roc(figure, read_table(curve), read_table(points), read_metrics(metrics))


def read_metrics(metrics: str) -> dict:
    """Read the final model's metrics (JSON) on the patches that it is measured on."""
    return json.loads(Path(metrics).read_text())["measured"]


def draw_roc(figure: Figure, curve: pd.DataFrame, points: pd.DataFrame, metrics: dict) -> None:
    """Draw what `roc` describes; a poor curve, which fills the square, is drawn once."""
    figure.set_figheight(5.5)
    false, true = curve.false_positive_rate, curve.true_positive_rate
    steps = _rises_in_steps(false, true, metrics.get("pooled_auc", metrics["auc"]))
    farthest = max(*(1 - points.specificity), *(1 - points.sensitivity))
    # A little larger than needed, so that a marker at the edge of the corner is whole.
    side = min(max(_corner_side(false, true), math.ceil(1.05 * farthest / 0.02) * 0.02), 1.0)
    panels = _whole_and_corner(figure, side, left=True)
    interval = f"{metrics['auc_low']:.4f}–{metrics['auc_high']:.4f}"
    within = f" within folds, {metrics['pooled_auc']:.4f} pooled" if "pooled_auc" in metrics else ""
    name = f"AUROC {metrics['auc']:.4f}{within} (95 % interval {interval}, {metrics['auc_interval']})"
    for axes in panels:
        axes.plot(false, true, drawstyle="steps-post" if steps else "default", color=style.MAIN, label=name)
        axes.fill_between(
            false, curve.low, curve.high, step="post" if steps else None, color=style.MAIN, alpha=0.2, lw=0,
            label="pointwise 95 % band",
        )  # fmt: skip
        axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls="--", label="chance (AUROC 0.5)")
        for row, (colour, marker, size) in zip(points.itertuples(), MARKERS, strict=True):
            axes.plot(
                1 - row.specificity, row.sensitivity, ls="none", marker=marker, ms=size, color=colour,
                mec="white", mew=0.6, clip_on=False, label=operating_points.label(row),
            )  # fmt: skip
        axes.set_xlabel("false positive rate (1 − specificity)")
        axes.set_ylabel("true positive rate (sensitivity)")
    style.legend_below(figure, panels[0])
    elsewhere = set(points.reported_on) - {metrics["on"]}
    of_points = f" (operating points on {elsewhere.pop()})" if elsewhere else ""
    style.heading(figure, f"ROC curve of the final model on {metrics['on']}{of_points}")


def _rises_in_steps(false, true, area: float) -> bool:
    """Whether a curve of this area rises in steps between its points, or by slopes, as where patches of both
    classes have the same probability.
    """
    steps, slopes = (true.to_numpy()[:-1] * np.diff(false)).sum(), np.trapezoid(true, false)
    return abs(steps - area) <= abs(slopes - area)


def precision_recall(curve: str, metrics: str, path: str, dpi: int) -> None:
    """Draw the precision-recall curve, and as chance the share of positive patches.

    curve: CSV `recall,precision`. metrics: JSON, of which `measured` holds `on`, `average_precision`,
    `patches` and `positive`, the number of positive patches.
    """
    with style.figure(path, dpi) as figure:
        draw_precision_recall(figure, read_table(curve), read_metrics(metrics))


def draw_precision_recall(figure: Figure, curve: pd.DataFrame, metrics: dict) -> None:
    """Draw what `precision_recall` describes."""
    figure.set_figheight(5.2)
    # Steps, whose area is the average precision: the straight line between two points cannot be reached.
    curve = curve.sort_values(["recall", "precision"], ascending=[True, False])
    share = metrics["positive"] / metrics["patches"]
    side = _corner_side(1 - curve.recall, curve.precision)
    panels = _whole_and_corner(figure, side, left=False)
    for axes in panels:
        axes.plot(
            curve.recall, curve.precision, drawstyle="steps-pre", color=style.MAIN,
            label=f"average precision {metrics['average_precision']:.4f}",
        )  # fmt: skip
        axes.axhline(
            share, color=style.MUTED, lw=1, ls="--", label=f"chance (share of positives {share:.3f})"
        )
        axes.set_xlabel("recall (sensitivity)")
        axes.set_ylabel("precision (PPV)")
    style.legend_below(figure, panels[0])
    style.heading(figure, f"Precision-recall curve of the final model on {metrics['on']}")


def _corner_side(false_positive_rate, true_positive_rate) -> float:
    """Side of a top left square with the bend of the curve in its middle."""
    distance = min(map(max, false_positive_rate, 1 - true_positive_rate))
    return min(max(math.ceil(2 * distance / 0.02) * 0.02, SMALLEST_CORNER), 1.0)


def _whole_and_corner(figure: Figure, side: float, left: bool) -> list[Axes]:
    """The unit square and its top left or top right corner, outlined there, enlarged beside it.

    The square alone where the corner would be most of it.
    """
    whole, *enlarged = figure.subplots(1, 1 if side > LARGEST_CORNER else 2, squeeze=False)[0]
    # A margin of 1 % keeps a curve along the frame whole.
    whole.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    for corner in enlarged:
        whole.set_title("Whole curve")
        corner.set(
            xlim=(-0.01 * side, side) if left else (1 - side, 1 + 0.01 * side),
            ylim=(1 - side, 1 + 0.01 * side),
            title="Outlined corner, enlarged",
        )
        start = (0 if left else 1 - side, 1 - side)
        whole.add_patch(Rectangle(start, side, side, fill=False, edgecolor=style.INK, lw=0.8))
    panels = [whole, *enlarged]
    for axes in panels:
        axes.set_aspect("equal")
    return panels
