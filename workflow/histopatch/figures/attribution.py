"""How much of what decides a prediction is in the centre of the patch."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from histopatch.figures import style
from histopatch.files import read_table

BINS = 20


def attribution(table: str, summary: str, path: str, dpi: int) -> None:
    """Draw the share of the evidence in the centre, where it is known, and how the logit moves without it.

    table: CSV `label,centre_share,logit,logit_without_centre,logit_without_border`. summary: JSON with
    `measured_on`, `centre_size`, `area_share` and the mean of `grad_cam` over all patches.
    """
    with style.figure(path, dpi) as figure:
        draw_attribution(figure, read_table(table), json.loads(Path(summary).read_text()))


def draw_attribution(figure: Figure, table: pd.DataFrame, summary: dict) -> None:
    """Draw what `attribution` describes."""
    figure.set_figheight(4.6)
    known = table.centre_share.notna().any()
    *shares, movements = figure.subplots(1, 2 if known else 1, squeeze=False)[0]
    for axes in shares:
        _draw_shares(axes, table, summary)
    _draw_movements(movements, table, summary["area_share"])
    style.legend_below(figure, movements)
    size = summary["centre_size"]
    style.heading(figure, f"How much the central {size}×{size} pixels decide, on {summary['measured_on']}")


def _draw_shares(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Grad-CAM: histograms of the two classes, stacked."""
    by_class = [table.centre_share[table.label == label].dropna() for label in (0, 1)]
    colours = [style.COLOURS[name] for name in style.CLASSES]
    axes.hist(by_class, bins=np.linspace(0, 1, BINS + 1), stacked=True, color=colours, alpha=0.85)
    lines = [(summary["area_share"], "chance", "--"), (summary["grad_cam"]["all"]["mean"], "mean", "-")]
    for value, name, dashes in lines:
        axes.axvline(value, color=style.INK, ls=dashes, lw=1.2)
        axes.annotate(
            f"{name} {100 * value:.0f} %", xy=(value, 1), xycoords=axes.get_xaxis_transform(), xytext=(4, -2),
            textcoords="offset points", va="top", fontsize=9,
        )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.margins(y=0.12)
    axes.locator_params(axis="y", integer=True)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("Grad-CAM: share of the evidence in the centre")
    axes.set_ylabel("patches")


def _draw_movements(axes: Axes, table: pd.DataFrame, area_share: float) -> None:
    """Occlusion: a dot for each patch."""
    moved = {part: (table[f"logit_without_{part}"] - table.logit).abs() for part in ("border", "centre")}
    for label in (0, 1):
        these = table.label == label
        colour = style.COLOURS[style.CLASSES[label]]
        axes.scatter(
            moved["border"][these], moved["centre"][these], s=16, alpha=0.7, lw=0, color=colour,
            label=style.class_name(label),
        )  # fmt: skip
    end = 1.05 * max(moved["border"].max(), moved["centre"].max(), 1e-3)
    proportional = end * area_share / (1 - area_share)
    axes.plot([0, end], [0, end], color=style.MUTED, ls="-", lw=1, label="equal")
    axes.plot([0, end], [0, proportional], color=style.INK, ls="--", lw=1.2, label="proportional to area")
    axes.set(xlim=(0, end), ylim=(0, end))
    axes.set_xlabel("occlusion: change of the logit without the border")
    axes.set_ylabel("change without the centre")
