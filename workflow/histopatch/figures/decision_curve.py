"""Decision curve: the net benefit of acting on the final model, beside acting on everybody or on nobody."""

import json
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from histopatch.evaluation.clinical_use import beyond_both
from histopatch.figures import style
from histopatch.files import read_table


def decision_curve(table: str, metrics: str, path: str, dpi: int) -> None:
    """Draw the net benefit over the threshold probability.

    table: CSV `threshold,net_benefit,net_benefit_low,net_benefit_high,treat_all,over_treat_all_low`. metrics:
    JSON, of which `measured` holds `on`, `patches` and `positive`, the number of positive patches.
    """
    with style.figure(path, dpi) as figure:
        measured = json.loads(Path(metrics).read_text())["measured"]
        draw_decision_curve(figure, read_table(table), measured)


def draw_decision_curve(figure: Figure, table: pd.DataFrame, metrics: dict) -> None:
    """Draw what `decision_curve` describes."""
    if table.empty:
        style.message(figure, style.RANKS)
        return
    figure.set_figheight(4.6)
    axes = figure.subplots()
    axes.plot(table.threshold, table.net_benefit, color=style.MAIN, label="the final model")
    axes.fill_between(
        table.threshold, table.net_benefit_low, table.net_benefit_high, color=style.MAIN, alpha=0.2, lw=0,
        label="pointwise 95 % band",
    )  # fmt: skip
    axes.plot(table.threshold, table.treat_all, color=style.OTHER, ls="--", label="treat everybody")
    axes.axhline(0, color=style.INK, lw=1.2, label="treat nobody")
    better = table.threshold[beyond_both(table)]
    if len(better):
        axes.plot(
            better, [0.02] * len(better), transform=axes.get_xaxis_transform(), ls="none", marker="|", ms=7,
            color=style.MAIN, label="better than both, beyond chance (paired)",
        )  # fmt: skip
    # The best that can be had is the share of positives; far below 0 curves say no more than "do not".
    best = metrics["positive"] / metrics["patches"]
    axes.set(xlim=(0, 1), ylim=(-0.3 * best, 1.1 * best))
    axes.set_xlabel("threshold probability: treat from here on")
    axes.set_ylabel("net benefit (true positives per patch)")
    style.legend_below(figure, axes)
    style.heading(figure, f"Net benefit of the final model on {metrics['on']}")
