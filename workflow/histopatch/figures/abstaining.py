"""Selective prediction: the share of wrong calls without the patches that the model is least sure of."""

import pandas as pd
from matplotlib.figure import Figure

from histopatch.figures import style
from histopatch.files import read_table


def abstaining(curve: str, points: str, path: str, dpi: int) -> None:
    """Draw the error over the coverage, and what thresholds that were chosen elsewhere come to.

    curve: CSV `coverage,error`. points: CSV `share,chosen_on,reported_on,abstained_share,error,error_low,
    error_high`, of which a row without `error` calls nothing.
    """
    with style.figure(path, dpi) as figure:
        draw_abstaining(figure, read_table(curve), read_table(points))


def draw_abstaining(figure: Figure, curve: pd.DataFrame, points: pd.DataFrame) -> None:
    """Draw what `abstaining` describes."""
    if points.empty:
        style.message(figure, style.RANKS)
        return
    figure.set_figheight(4.6)
    axes = figure.subplots()
    axes.plot(100 * curve.coverage, 100 * curve.error, color=style.MAIN, label="the surest patches first")
    facts, called = points.iloc[0], points.dropna(subset="error")
    coverage, error = 100 * (1 - called.abstained_share), 100 * called.error
    axes.vlines(
        coverage, 100 * called.error_low, 100 * called.error_high, color=style.OTHER, lw=1.4,
        label="95 % interval",
    )  # fmt: skip
    axes.plot(
        coverage, error, ls="none", marker="o", ms=6, color=style.OTHER,
        label=f"threshold that leaves out this share of {facts.chosen_on}",
    )  # fmt: skip
    for share, same in called.groupby(called.abstained_share.round(2)):
        top = (100 * (1 - share), 100 * same.error_high.max())
        asked = dict.fromkeys(f"{100 * value:.0f}" for value in (same.share.min(), same.share.max()))
        axes.annotate(
            f"{'–'.join(asked)} %", top, (0, 4), textcoords="offset points", ha="center", fontsize=9
        )
    axes.set_xlim(0, 101)
    axes.margins(y=0.1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("patches that are called (%)")
    axes.set_ylabel("wrong calls among them (%)")
    style.legend_below(figure, axes)
    style.heading(figure, f"Errors of the final model on {facts.reported_on}, without the least certain")
