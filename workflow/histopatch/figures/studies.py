"""Figures that compare runs: one study, the best configurations of all, and what they cost."""

import itertools
import json

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from histopatch.evaluation.run_table import settings_of
from histopatch.figures import forest, style
from histopatch.files import read_table

AUROC = "validation AUROC after the last epoch"
# In words: `tied_with_best`, which is empty where the test cannot pair a run with the best one.
TIED = "tied with the best"
LOWER = "lower than the best (paired test, Holm)"
NOT_TESTED = "validated on other patches, not tested"
LABEL_WIDTH = 34  # characters that leave the dots half of the figure
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def study(table: str, path: str, dpi: int, title: str) -> None:
    """Draw a forest plot of the runs of a study, coloured by whether they are as good as its best.

    table: CSV with the columns `run,final_val_auc,val_auc_low,val_auc_high,validated_on,tied_with_best`,
    best run first. Where runs validate on different patches, each says on which under its name.
    """
    with style.figure(path, dpi) as figure:
        draw_study(figure, read_table(table), title)


def top_runs(table: str, path: str, dpi: int, count: int) -> None:
    """Draw a forest plot of the `count` best of all runs, labelled by the settings that differ.

    table: CSV of all runs of all studies, `run,folder`, a column per setting, and what `study` reads but
    for `tied_with_best`, which speaks about one study only.
    """
    with style.figure(path, dpi) as figure:
        draw_top_runs(figure, read_distinct_runs(table).nlargest(count, "final_val_auc"))


def cost(table: str, path: str, dpi: int) -> None:
    """Draw AUROC against training time, a marker per run, and the runs that no other run beats.

    table: CSV of all runs of all studies, `folder,backbone,final_val_auc,train_seconds`.
    """
    with style.figure(path, dpi) as figure:
        draw_cost(figure, read_distinct_runs(table))


def read_distinct_runs(table: str) -> pd.DataFrame:
    """Read a table of all runs, in which a run of two studies stands twice."""
    return read_table(table).drop_duplicates("folder")


def draw_study(figure: Figure, runs: pd.DataFrame, title: str) -> None:
    """Draw what `study` describes."""
    axes = _draw_rows(figure, runs, list(runs.run))
    not_tested = runs.tied_with_best.isna()
    tied = runs.tied_with_best.eq(True)
    _draw_dots(axes, runs, tied, colour=style.MAIN, label=TIED)
    _draw_dots(axes, runs, ~tied & ~not_tested, colour=style.OTHER, label=LOWER)
    _draw_dots(axes, runs, not_tested, colour=style.MUTED, hollow=True, label=NOT_TESTED)
    _finish(figure, axes, runs, title)


def draw_top_runs(figure: Figure, runs: pd.DataFrame) -> None:
    """Draw what `top_runs` describes."""
    axes = _draw_rows(figure, runs, distinguishing_labels(runs))
    _draw_dots(axes, runs, runs.final_val_auc.notna(), colour=style.MAIN)
    _finish(figure, axes, runs, "The best configurations of all runs")


def distinguishing_labels(runs: pd.DataFrame) -> list[str]:
    """Describe runs by the settings in which they differ, or by name when they differ in none."""
    settings = runs[settings_of(runs)]
    differing = settings.loc[:, settings.nunique(dropna=False) > 1]
    if differing.empty:
        return list(runs.run)
    return [
        ", ".join(_setting(key, value) for key, value in row.items()) for row in differing.to_dict("records")
    ]


def pareto_front(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that no other run beats in both AUROC and training time, fastest first."""
    fastest = runs.sort_values(["train_seconds", "final_val_auc"], ascending=[True, False])
    best_before = fastest.final_val_auc.cummax().shift(fill_value=float("-inf"))
    return fastest[fastest.final_val_auc > best_before]


def draw_cost(figure: Figure, runs: pd.DataFrame) -> None:
    """Draw what `cost` describes."""
    figure.set_figheight(5.0)
    axes = figure.subplots()
    looks = itertools.cycle(zip(style.CYCLE, MARKERS, strict=True))
    for (backbone, group), (colour, marker) in zip(runs.groupby("backbone"), looks, strict=False):
        axes.scatter(
            group.train_seconds, group.final_val_auc, s=55, color=colour, marker=marker,
            edgecolor="white", linewidth=0.6, label=backbone, zorder=3,
        )  # fmt: skip
    front = pareto_front(runs)
    axes.plot(
        front.train_seconds, front.final_val_auc, drawstyle="steps-post", color=style.MUTED,
        lw=1.2, label="Pareto front",
    )  # fmt: skip
    axes.set_ylim(style.zoomed(runs.final_val_auc.min(), runs.final_val_auc.max()))
    axes.set_ylabel(AUROC)
    _time_axis(axes, runs.train_seconds)
    style.legend_below(figure, axes)
    style.heading(figure, "What each point of AUROC costs")


def _draw_rows(figure: Figure, runs: pd.DataFrame, labels: list[str]) -> Axes:
    """Make axes with a row per run, whose dots are drawn later."""
    details = list(runs.validated_on) if runs.validated_on.nunique() > 1 else None
    axes = forest.rows(
        figure,
        range(len(runs)),
        [style.wrapped(label, LABEL_WIDTH) for label in labels],
        [
            f"{row.final_val_auc:.4f} ({row.val_auc_low:.4f}–{row.val_auc_high:.4f})"
            for row in runs.itertuples()
        ],
        details,
    )
    axes.set_xlim(style.zoomed(runs.val_auc_low.min(), runs.val_auc_high.max()))
    axes.set_xlabel(f"{AUROC}, with 95 % interval")
    return axes


def _finish(figure: Figure, axes: Axes, runs: pd.DataFrame, title: str) -> None:
    best = runs.final_val_auc.max()
    axes.axvline(best, color=style.MUTED, lw=1, ls="--", zorder=1, label="AUROC of the best run")
    style.legend_below(figure, axes)
    style.heading(figure, title)


def _draw_dots(axes: Axes, runs: pd.DataFrame, chosen: pd.Series, **look) -> None:
    """Draw the chosen runs, each in its row; a look that no run has stays out of the legend."""
    if chosen.any():
        these = runs[chosen]
        values = these.final_val_auc, these.val_auc_low, these.val_auc_high
        forest.dots(axes, np.flatnonzero(chosen), *values, **look)


def _setting(key: str, value) -> str:
    if key == "backbone":
        return value
    return f"{key}={value:g}" if isinstance(value, float) else f"{key}={_plain(value)}"


def _plain(value) -> str:
    """Write a value as the configuration does: `true`, not `True`."""
    return json.dumps(value).strip('"')


def _time_axis(axes: Axes, seconds: pd.Series) -> None:
    axes.set_xlabel("training time (s)")
    if seconds.max() > 10 * seconds.min():
        axes.set_xscale("log")
        axes.set_xlabel("training time (s, logarithmic)")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,g}")
