"""Figures that compare runs: one study, the best configurations of all, and what they cost."""

import itertools
import json

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from pcam.figures import style

AUROC = "validation AUROC after the last epoch"
# Columns of a table of runs that are no settings.
NOT_SETTINGS = [
    "study",
    "folder",
    "val_log_loss",
    "run",
    "best_val_auc",
    "final_val_auc",
    "val_auc_low",
    "val_auc_high",
    "val_auc_interval",
    "difference_to_best",
    "p_value",
    "tied_with_best",
    "train_seconds",
]
LABEL_WIDTH = 36  # characters that leave the bars two thirds of the figure
LINE = 0.17  # inches that a line of a label takes
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def study(table: str, path: str, dpi: int, title: str) -> None:
    """Draw the AUROC of each run of a study as a bar, its 95 % interval as whiskers.

    table: CSV with the columns `run,final_val_auc,val_auc_low,val_auc_high`, drawn in its order.
    """
    with style.figure(path, dpi) as figure:
        runs = read_runs(table)
        draw_bars(figure, runs, list(runs.run), title)


def top_runs(table: str, path: str, dpi: int, count: int) -> None:
    """Draw the `count` best configurations of all runs, labelled by the settings that differ.

    table: CSV of all runs of all studies, `run,folder`, a column per setting, and what `study` reads.
    """
    with style.figure(path, dpi) as figure:
        best = read_distinct_runs(table).nlargest(count, "final_val_auc")
        draw_bars(figure, best, distinguishing_labels(best), "The best configurations of all runs")


def cost(table: str, path: str, dpi: int) -> None:
    """Draw AUROC against training time, a marker per run, and the runs that no other run beats.

    table: CSV of all runs of all studies, `folder,backbone,final_val_auc,train_seconds`.
    """
    with style.figure(path, dpi) as figure:
        draw_cost(figure, read_distinct_runs(table))


def read_runs(table: str) -> pd.DataFrame:
    """Read a table of runs; only an empty field is missing, as a run may be called `NA`."""
    return pd.read_csv(table, dtype={"run": str}, keep_default_na=False, na_values=[""])


def read_distinct_runs(table: str) -> pd.DataFrame:
    """Read a table of all runs, in which a run of two studies stands twice."""
    return read_runs(table).drop_duplicates("folder")


def draw_bars(figure: Figure, runs: pd.DataFrame, labels: list[str], title: str) -> None:
    """Draw a labelled bar per run on an axis that starts just below the lowest interval."""
    labels = [style.wrapped(label, LABEL_WIDTH) for label in labels]
    lines = max(label.count("\n") + 1 for label in labels)
    figure.set_figheight(1.1 + len(runs) * (LINE * lines + 0.12))
    axes = figure.subplots()
    style.horizontal_bars(
        axes,
        labels,
        values=runs.final_val_auc,
        notes=[f"{auc:.4f}" for auc in runs.final_val_auc],
        colours=style.BAR,
    )
    _draw_intervals(axes, runs)
    lower, upper = style.zoomed(runs.val_auc_low.min(), runs.val_auc_high.max())
    axes.set_xlim(lower, upper)
    axes.set_xlabel(f"{AUROC}, with 95 % interval (axis starts at {lower:g})")
    style.heading(figure, title)


def distinguishing_labels(runs: pd.DataFrame) -> list[str]:
    """Describe runs by the settings in which they differ, or by name when they differ in none."""
    settings = runs.drop(columns=NOT_SETTINGS, errors="ignore")
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


def _draw_intervals(axes: Axes, runs: pd.DataFrame) -> None:
    # Drawn from their middle: nothing says that an interval has the AUROC in its middle.
    middle = (runs.val_auc_low + runs.val_auc_high) / 2
    half = (runs.val_auc_high - runs.val_auc_low) / 2
    axes.errorbar(middle, range(len(runs)), xerr=half, fmt="none", ecolor=style.INK, elinewidth=1, capsize=3)


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
