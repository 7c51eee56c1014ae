"""Figures of how well the final model tells the classes apart, and of what its probabilities are worth."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from histopatch.figures import forest, style
from histopatch.files import read_table
from histopatch.statistics.operating_points import CRITERIA

# Smaller from one to the next, so that points at the same place all show.
POINT_LOOKS = (("#D55E00", "o", 12), ("#E69F00", "s", 8.5), ("#000000", "^", 6))
SHARES = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
SHADES = LinearSegmentedColormap.from_list("shades", ["white", style.MAIN])
SMALLEST_CORNER = 0.06  # of the side of the whole
PARTS = ("validation", "held out")
LABEL_WIDTH = 34  # characters that leave the dots half of the figure
MANY = 40  # groups from which on a row is too thin for its name
HIGHEST = 8.5  # inches that all rows take at most


def roc(curve: str, points: str, metrics: str, path: str, dpi: int) -> None:
    """Draw the ROC curve with its band, whole and zoomed into the corner where good curves differ.

    curve: CSV `false_positive_rate,true_positive_rate,low,high`, the last two the 95 % band at each point.
    points: CSV `point,threshold,sensitivity,specificity`, the operating points, drawn as markers.
    metrics: JSON, of which `measured` holds `on`, `auc`, `auc_low`, `auc_high` and `auc_interval`.
    """
    with style.figure(path, dpi) as figure:
        draw_roc(figure, read_table(curve), read_table(points), read_metrics(metrics))


def read_metrics(metrics: str) -> dict:
    """Read the metrics (JSON) of the final model on the patches that it is measured on."""
    return json.loads(Path(metrics).read_text())["measured"]


def draw_roc(figure: Figure, curve: pd.DataFrame, points: pd.DataFrame, metrics: dict) -> None:
    """Draw what `roc` describes."""
    false, true = curve.false_positive_rate, curve.true_positive_rate
    farthest = max(*(1 - points.specificity), *(1 - points.sensitivity))
    side = min(max(_corner_side(false, true), math.ceil(farthest / 0.02) * 0.02), 1.0)
    whole, corner = _whole_and_corner(figure, side, left=True)
    interval = f"{metrics['auc_low']:.4f}–{metrics['auc_high']:.4f}"
    name = f"AUROC {metrics['auc']:.4f} (95 % interval {interval}, {metrics['auc_interval']})"
    for axes in (whole, corner):
        axes.plot(false, true, color=style.MAIN, label=name)
        axes.fill_between(
            false, curve.low, curve.high, color=style.MAIN, alpha=0.2, lw=0, label="95 % band, point by point"
        )
        axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls="--", label="chance (AUROC 0.5)")
        for row, (colour, marker, size) in zip(points.itertuples(), POINT_LOOKS, strict=True):
            axes.plot(
                1 - row.specificity, row.sensitivity, ls="none", marker=marker, ms=size, color=colour,
                mec="white", mew=0.6, label=f"{CRITERIA[row.point]} (threshold {_threshold(row.threshold)})",
            )  # fmt: skip
        axes.set_xlabel("false positive rate (1 - specificity)")
        axes.set_ylabel("true positive rate (sensitivity)")
    style.legend_below(figure, whole)
    elsewhere = set(points.reported_on) - {metrics["on"]}
    of_points = f" (operating points: {elsewhere.pop()})" if elsewhere else ""
    style.heading(figure, f"ROC curve of the final model, {metrics['on']}{of_points}")


def precision_recall(curve: str, metrics: str, path: str, dpi: int) -> None:
    """Draw the precision-recall curve, whole and zoomed into the corner where good curves differ.

    curve: CSV `recall,precision`. metrics: JSON, of which `measured` holds `on`, `average_precision`,
    `patches` and `positive`, the number of positive patches.
    """
    with style.figure(path, dpi) as figure:
        draw_precision_recall(figure, read_table(curve), read_metrics(metrics))


def draw_precision_recall(figure: Figure, curve: pd.DataFrame, metrics: dict) -> None:
    """Draw what `precision_recall` describes."""
    # Steps, whose area is the average precision: between two points no line can be reached.
    curve = curve.sort_values(["recall", "precision"], ascending=[True, False])
    share = metrics["positive"] / metrics["patches"]
    side = _corner_side(1 - curve.recall, curve.precision)
    whole, corner = _whole_and_corner(figure, side, left=False)
    for axes in (whole, corner):
        axes.plot(
            curve.recall, curve.precision, drawstyle="steps-pre", color=style.MAIN,
            label=f"average precision {metrics['average_precision']:.4f}",
        )  # fmt: skip
        axes.axhline(
            share, color=style.MUTED, lw=1, ls="--", label=f"chance (share of positives {share:.3f})"
        )
        axes.set_xlabel("recall (sensitivity)")
        axes.set_ylabel("precision (PPV)")
    style.legend_below(figure, whole)
    style.heading(figure, f"Precision-recall curve of the final model, {metrics['on']}")


def confusion(points: str, path: str, dpi: int) -> None:
    """Draw the confusion matrix of each operating point, shaded by the share of the row.

    points: CSV `point,threshold,chosen_on,reported_on`, the counts `true_positives,false_positives,
    true_negatives,false_negatives`, and `sensitivity,specificity,ppv,npv`, each with `_low` and `_high`,
    empty where there is nothing to take the share of.
    """
    with style.figure(path, dpi) as figure:
        draw_confusion(figure, read_table(points))


def draw_confusion(figure: Figure, points: pd.DataFrame) -> None:
    """Draw what `confusion` describes."""
    figure.set_figheight(5.2)
    matrices, texts = figure.subplots(2, len(points), squeeze=False, height_ratios=[3, 1])
    for axes, text, (_, point) in zip(matrices, texts, points.iterrows(), strict=True):
        _draw_matrix(axes, point)
        axes.set_title(f"{CRITERIA[point.point]}\n(threshold {_threshold(point.threshold)})")
        shares = [f"{words}: {_share(point, name)}" for name, words in SHARES.items()]
        text.text(0.5, 1, "\n".join(shares), fontsize=9, ha="center", va="top", linespacing=1.4)
        text.set_axis_off()
    first = points.iloc[0]
    title = f"Confusion matrices, {first.reported_on} (thresholds chosen on {first.chosen_on})"
    style.heading(figure, title)


def reliability(table: str, path: str, dpi: int) -> None:
    """Draw reliability diagrams before and after calibration, below each the patches per bin.

    table: CSV `calibration` (`before` or `after`), `temperature,ece,fitted_on,reported_on`, the same in all
    rows of either, and `above,up_to,patches,mean_probability,positive_share,positive_share_low,
    positive_share_high`, a row a bin.
    """
    with style.figure(path, dpi) as figure:
        draw_reliability(figure, read_table(table))


def draw_reliability(figure: Figure, table: pd.DataFrame) -> None:
    """Draw what `reliability` describes."""
    figure.set_figheight(6.2)
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=[4, 1])
    for (diagram, counts), calibration in zip(panels.T, ("before", "after"), strict=True):
        bins = table[table.calibration == calibration]
        facts = bins.iloc[0]
        _draw_diagram(diagram, bins)
        counts.bar(bins.above, bins.patches, width=bins.up_to - bins.above, align="edge", color=style.BAR)
        scaled = f" (temperature {facts.temperature:.2f})" if calibration == "after" else ""
        diagram.set_title(
            f"{calibration.capitalize()} calibration{scaled}\nexpected calibration error {facts.ece:.4f}"
        )
        counts.set_xlabel("predicted probability")
    diagram.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    # Most patches are in the first and the last bin; on a linear axis the others would vanish.
    counts.set_yscale("log")
    counts.yaxis.set_major_formatter("{x:,g}")
    counts.set_ylim(bottom=0.7)
    panels[0, 0].set_ylabel("share of positive patches")
    panels[1, 0].set_ylabel("patches\n(logarithmic)")
    style.legend_below(figure, diagram)
    title = f"Reliability of the final model, {facts.reported_on} (temperature fitted on {facts.fitted_on})"
    style.heading(figure, title)


def auc_by_group(table: str, path: str, dpi: int) -> None:
    """Draw the AUROC of each slide or fold, best on top within its part.

    table: CSV `part` (`validation` or `held out`), `group`, `kind` (`slide` or `fold`), `patches,auc,
    auc_low,auc_high`. Groups with one class only have no AUROC; they are counted below the axes.
    """
    with style.figure(path, dpi) as figure:
        draw_auc_by_group(figure, read_table(table))


def draw_auc_by_group(figure: Figure, groups: pd.DataFrame) -> None:
    """Draw what `auc_by_group` describes."""
    in_order = [groups[groups.part == part].sort_values("auc", ascending=False) for part in PARTS]
    shown = pd.concat(in_order).dropna(subset="auc")
    if shown.empty:
        style.words(figure, "No group has patches of both classes, so there is no AUROC to draw.")
        return
    gap = max(1, len(shown) / MANY)  # rows between the parts
    places = np.arange(len(shown)) + gap * (shown.part != shown.part.iloc[0]).to_numpy()
    crowded = len(shown) > MANY
    axes = _thin_rows(figure, places) if crowded else forest.rows(figure, places, *_named(shown))
    for part in shown.part.unique():
        chosen = (shown.part == part).to_numpy()
        these = shown[chosen]
        share = these.patches / shown.patches.max()
        forest.dots(
            axes, places[chosen], these.auc, these.auc_low, these.auc_high, colour=style.COLOURS[part],
            areas=3 + 25 * share if crowded else 12 + 90 * share, thin=crowded, label=part,
        )  # fmt: skip
    axes.set_xlim(style.zoomed(shown.auc_low.min(), shown.auc_high.max()))
    axes.set_xlabel("AUROC with 95 % interval; the larger a dot, the more patches")
    kinds = " and ".join(f"{kind}s" for kind in shown.kind.unique())
    axes.set_ylabel(f"{len(shown)} {kinds}" if crowded else kinds)
    if groups.auc.isna().any():
        axes.annotate(
            _missing(groups), xy=(0.5, 0), xycoords=axes.xaxis.label, xytext=(0, -5),
            textcoords="offset points", ha="center", va="top", fontsize=9, color=style.MUTED,
        )  # fmt: skip
    style.legend_below(figure, axes)
    for handle in figure.legends[0].legend_handles:
        handle.set_sizes([forest.AREA])  # not that of any group's dot
    style.heading(figure, "AUROC of the final model by group")


def _corner_side(false_positive_rate, true_positive_rate) -> float:
    """Side of a top left square with the bend of the curve in its middle."""
    distance = min(map(max, false_positive_rate, 1 - true_positive_rate))
    return min(max(math.ceil(2 * distance / 0.02) * 0.02, SMALLEST_CORNER), 1.0)


def _whole_and_corner(figure: Figure, side: float, left: bool) -> list[Axes]:
    """Two axes: the unit square with its top left or top right corner outlined, and that corner enlarged."""
    figure.set_figheight(5.5)
    whole, corner = figure.subplots(1, 2)
    # A margin of 1 % keeps a curve along the frame whole.
    whole.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title="Whole curve")
    corner.set(
        xlim=(-0.01 * side, side) if left else (1 - side, 1 + 0.01 * side),
        ylim=(1 - side, 1 + 0.01 * side),
        title="The outlined corner, enlarged",
    )
    start = (0 if left else 1 - side, 1 - side)
    whole.add_patch(Rectangle(start, side, side, fill=False, edgecolor=style.INK, lw=0.8))
    for axes in (whole, corner):
        axes.set_aspect("equal")
    return [whole, corner]


def _threshold(value: float) -> str:
    """Write a threshold with enough digits to tell it from 0 and 1."""
    nearest = min(value, 1 - value)
    if nearest <= 0:
        return f"{value:g}"
    return f"{value:.{max(2, math.ceil(-math.log10(nearest)) + 1)}f}"


def _draw_matrix(axes: Axes, point: pd.Series) -> None:
    counts = np.array(
        [
            [point.true_positives, point.false_negatives],
            [point.false_positives, point.true_negatives],
        ]
    )
    shares = counts / counts.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
    for row, column in np.ndindex(2, 2):
        share = shares[row, column]
        axes.text(
            column, row, f"{counts[row, column]:,}\n{100 * share:.1f} %", ha="center", va="center",
            color="white" if share > 0.5 else style.INK,
        )  # fmt: skip
    names = style.CLASSES[::-1]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.grid(False)
    axes.set_xlabel("called")
    axes.set_ylabel("label")


def _share(point: pd.Series, name: str) -> str:
    if pd.isna(point[name]):
        return "no patches"
    low, high = point[f"{name}_low"], point[f"{name}_high"]
    return f"{100 * point[name]:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _draw_diagram(axes: Axes, bins: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls="--", label="perfect calibration")
    axes.vlines(
        bins.mean_probability, bins.positive_share_low, bins.positive_share_high, color=style.MAIN, lw=1.4,
        label="95 % interval",
    )  # fmt: skip
    axes.plot(
        bins.mean_probability, bins.positive_share, ls="none", marker="o", ms=6, color=style.MAIN,
        label="patches of a bin",
    )  # fmt: skip


def _named(groups: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Labels and notes of groups."""
    rows = list(groups.itertuples())
    notes = [f"{row.auc:.3f} ({row.auc_low:.3f}–{row.auc_high:.3f}), {row.patches:,} patches" for row in rows]
    return [style.wrapped(row.group, LABEL_WIDTH) for row in rows], notes


def _thin_rows(figure: Figure, places: Sequence[float]) -> Axes:
    """Make axes of rows without names, no higher than the page bears."""
    extent = places[-1] - places[0] + 1
    figure.set_figheight(1.7 + min(0.12 * extent, HIGHEST))
    axes = figure.subplots()
    axes.set_ylim(places[-1] + 1, places[0] - 1)
    axes.set_yticks([])
    return axes


def _missing(groups: pd.DataFrame) -> str:
    """Say how many groups have no AUROC."""
    counts = groups[groups.auc.isna()].kind.value_counts(sort=False)
    names = " and ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in counts.items())
    return f"{names} with one class only {'is' if counts.sum() == 1 else 'are'} not shown"
