"""AUROC of the runs against the time that their training took."""

import itertools

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from histopatch.failures import finished
from histopatch.figures import style
from histopatch.files import read_table

# One fewer than the colours, so that the pairs of both repeat after 56 backbones only.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def cost(table: str, path: str, dpi: int) -> None:
    """Draw AUROC against training time, a marker per run, and the Pareto front.

    Runs that are validated on another kind of patches than most are hollow, and not on the front. table:
    CSV of all runs of all studies, `folder,backbone,final_val_auc,train_seconds,validated_on`. A run of two
    studies has two rows and is drawn once.
    """
    with style.figure(path, dpi) as figure:
        draw_cost(figure, finished(read_table(table)).drop_duplicates("folder"))


def draw_cost(figure: Figure, runs: pd.DataFrame) -> None:
    """Draw what `cost` describes."""
    figure.set_figheight(5.0)
    axes = figure.subplots()
    # An AUROC on easier patches is no better model, so only runs on the same kind are compared.
    alike = runs.validated_on == runs.validated_on.mode()[0]
    colours, markers = itertools.cycle(style.CYCLE), itertools.cycle(MARKERS)
    for (backbone, group), colour, marker in zip(runs.groupby("backbone"), colours, markers, strict=False):
        filled = alike[group.index]
        axes.scatter(
            group.train_seconds, group.final_val_auc, s=55, marker=marker, linewidth=1.2, label=backbone,
            zorder=3, color=[colour if same else "white" for same in filled],
            edgecolor=["white" if same else colour for same in filled],
        )  # fmt: skip
    if not alike.all():
        axes.scatter([], [], s=55, color="white", edgecolor=style.MUTED, label="hollow: on other patches")
    front = pareto_front(runs[alike])
    if len(front) > 1:
        axes.plot(
            front.train_seconds, front.final_val_auc, drawstyle="steps-post", color=style.MUTED,
            lw=1.2, label="Pareto front",
        )  # fmt: skip
    axes.set_ylim(style.zoomed(runs.final_val_auc.min(), runs.final_val_auc.max()))
    axes.set_ylabel(style.VALIDATION_AUROC)
    _time_axis(axes, runs.train_seconds)
    style.legend_below(figure, axes)
    style.heading(figure, "Validation AUROC against training time")


def pareto_front(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that no other run beats in both AUROC and training time, fastest first."""
    fastest = runs.sort_values(["train_seconds", "final_val_auc"], ascending=[True, False])
    best_before = fastest.final_val_auc.cummax().shift(fill_value=float("-inf"))
    return fastest[fastest.final_val_auc > best_before]


def _time_axis(axes: Axes, seconds: pd.Series) -> None:
    axes.set_xlabel("training time (s)")
    if seconds.max() > 10 * seconds.min():
        axes.set_xscale("log")
        axes.set_xlabel("training time (s, log scale)")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,g}")
