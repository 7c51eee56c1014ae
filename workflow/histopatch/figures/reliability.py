"""Reliability diagram: how often patches are positive, by the probability that the final model gives them."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.figures import style
from histopatch.files import read_table


def reliability(table: str, path: str, dpi: int) -> None:
    """Draw reliability diagrams before and after recalibration, with the number of patches per bin below.

    table: CSV with one row per bin: `calibration` (`before` or `after`), `recalibration_intercept,
    recalibration_slope,ece,fitted_on,reported_on`, the same in all rows of either, and `above,up_to,patches,
    mean_probability,positive_share,positive_share_low,positive_share_high`.
    """
    with style.figure(path, dpi) as figure:
        draw_reliability(figure, read_table(table))


def draw_reliability(figure: Figure, table: pd.DataFrame) -> None:
    """Draw what `reliability` describes."""
    if table.empty:
        style.message(figure, style.RANKS)
        return
    figure.set_figheight(6.2)
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=[4, 1])
    for (diagram, counts), calibration in zip(panels.T, ("before", "after"), strict=True):
        bins = table[table.calibration == calibration]
        facts = bins.iloc[0]
        _draw_diagram(diagram, bins)
        counts.bar(bins.above, bins.patches, width=bins.up_to - bins.above, align="edge", color=style.BAR)
        diagram.set_title(_title(facts))
        counts.set_xlabel("predicted probability")
    diagram.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    # Most patches are in the first and the last bin; on a linear axis the others would vanish.
    counts.set_yscale("log")
    style.plain_powers(counts.yaxis)
    counts.set_ylim(bottom=0.7)
    panels[0, 0].set_ylabel("share of positive patches")
    panels[1, 0].set_ylabel("patches\n(log scale)")
    style.legend_below(figure, diagram)
    title = f"Calibration on {facts.reported_on} (recalibration fitted on {facts.fitted_on})"
    style.heading(figure, title)


def _title(facts: pd.Series) -> str:
    heading = f"{facts.calibration.capitalize()} recalibration"
    if facts.calibration == "after":
        heading += f"\nintercept {facts.recalibration_intercept:.2f}, slope {facts.recalibration_slope:.2f}"
    error = f"expected calibration error {facts.ece:.4f}"
    return f"{heading}\n{error}".replace("-", "−")  # the minus sign of axes


def _draw_diagram(axes: Axes, bins: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls="--", label="perfect calibration")
    axes.vlines(
        bins.mean_probability, bins.positive_share_low, bins.positive_share_high, color=style.MAIN, lw=1.4,
        label="95 % interval",
    )  # fmt: skip
    axes.plot(
        bins.mean_probability, bins.positive_share, ls="none", marker="o", ms=6, color=style.MAIN,
        label="bin of patches",
    )  # fmt: skip
