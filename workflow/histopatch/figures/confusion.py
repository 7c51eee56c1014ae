"""Confusion matrices of the final model, one for each operating point."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from histopatch.figures import operating_points, style
from histopatch.files import read_table

RATES = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
SHADES = LinearSegmentedColormap.from_list("shades", ["white", style.MAIN])


def confusion(points: str, path: str, dpi: int) -> None:
    """Draw the confusion matrix of each operating point, shaded by the share of the true class.

    points: CSV `point,threshold,chosen_on,reported_on`, the counts `true_positives,false_positives,
    true_negatives,false_negatives`, and `sensitivity,specificity,ppv,npv`, each with `_low` and `_high`,
    empty where there are no patches to take the share of.
    """
    with style.figure(path, dpi) as figure:
        draw_confusion(figure, read_table(points))


def draw_confusion(figure: Figure, points: pd.DataFrame) -> None:
    """Draw what `confusion` describes."""
    figure.set_figheight(4.9)
    matrices, texts = figure.subplots(2, len(points), squeeze=False, height_ratios=[4, 1])
    for axes, text, (_, point) in zip(matrices, texts, points.iterrows(), strict=True):
        _draw_matrix(axes, point)
        axes.set_title(operating_points.label(point, separator="\n"))
        rates = [f"{words}: {_rate(point, name)}" for name, words in RATES.items()]
        text.text(0.5, 1, "\n".join(rates), fontsize=9, ha="center", va="top", linespacing=1.4)
        text.set_axis_off()
    first = points.iloc[0]
    title = f"Confusion matrices on {first.reported_on} (thresholds chosen on {first.chosen_on})"
    style.heading(figure, title)


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
    axes.spines[:].set_visible(True)  # a frame, without which empty cells run into the page
    axes.set_xlabel("predicted")
    axes.set_ylabel("true label")


def _rate(point: pd.Series, name: str) -> str:
    if pd.isna(point[name]):
        return "no patches"
    low, high = point[f"{name}_low"], point[f"{name}_high"]
    return f"{100 * point[name]:.1f} % ({100 * low:.1f}–{100 * high:.1f})"
