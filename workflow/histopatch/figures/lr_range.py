"""The learning-rate range test: the loss while the rate rises."""

import pandas as pd
from matplotlib.figure import Figure

from histopatch.figures import style
from histopatch.files import read_table


def lr_range(table: str, path: str, name: str, dpi: int) -> None:
    """Draw the loss of each step over the learning rate; table: CSV `step,lr,loss,smoothed_loss`."""
    with style.figure(path, dpi) as figure:
        draw_lr_range(figure, read_table(table), name)


def draw_lr_range(figure: Figure, steps: pd.DataFrame, name: str) -> None:
    """Draw what `lr_range` describes, and mark where the smoothed loss falls fastest."""
    axes = figure.subplots()
    axes.plot(steps.lr, steps.loss, ".", color=style.MUTED, alpha=0.5, label="a step")
    axes.plot(steps.lr, steps.smoothed_loss, color=style.MAIN, label="smoothed")
    axes.set_xscale("log")
    style.plain_powers(axes.xaxis)
    low, high = steps.smoothed_loss.min(), steps.smoothed_loss.iloc[0]
    axes.set_ylim(low - 0.3 * (high - low), high + 0.7 * (high - low))
    axes.axvline(steepest(steps), color=style.OTHER, ls="--", label=f"falls fastest at {steepest(steps):.1e}")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    style.legend_below(figure, axes)
    style.heading(figure, f"Learning-rate range test of {style.name(name)}")


def steepest(steps: pd.DataFrame) -> float:
    """The learning rate at which the smoothed loss falls fastest by the logarithm of the rate."""
    slope = steps.smoothed_loss.diff().rolling(5, center=True, min_periods=1).mean()
    return float(steps.lr[slope.idxmin()])
