"""Forest plots of runs: those of one study, and the best of all studies."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.failures import finished
from histopatch.figures import forest, style
from histopatch.files import read_table

# In words: `tied_with_best`, which is empty where the test cannot pair a run with the best one.
HIGHEST = "highest"
TIED = "tied with the highest (paired tests)"
LOWER = "lower than the highest (paired tests)"
MOST = 50  # runs of a study that are drawn; its table has them all


def study(table: str, path: str, dpi: int, name: str) -> None:
    """Draw a forest plot of the MOST best runs of a study, coloured by whether they are tied with its best.

    table: CSV with the columns `run,final_val_auc,val_auc_low,val_auc_high,validated_on,tied_with_best`,
    best run first. Where runs validate on different patches, a line under each name says on which.
    name: of the study.
    """
    with style.figure(path, dpi) as figure:
        draw_study(figure, finished(read_table(table)), name)


def draw_study(figure: Figure, table: pd.DataFrame, name: str) -> None:
    """Draw what `study` describes."""
    runs = table.head(MOST)
    axes = _draw_rows(figure, runs, list(runs.run))
    not_tested = runs.tied_with_best.isna()
    tied = runs.tied_with_best.eq(True)
    highest = runs.index == runs.final_val_auc.idxmax()
    _draw_dots(axes, runs, pd.Series(highest, runs.index), colour=style.INK, label=HIGHEST)
    _draw_dots(axes, runs, tied & ~highest, colour=style.MAIN, label=TIED)
    _draw_dots(axes, runs, ~tied & ~not_tested & ~highest, colour=style.OTHER, label=LOWER)
    _draw_dots(axes, runs, not_tested & ~highest, colour=style.MUTED, hollow=True, label=style.NOT_TESTED)
    title = f"The {MOST} best runs of the study {name}" if len(table) > MOST else f"Runs of the study {name}"
    _finish(figure, axes, runs, title)


def top_runs(table: str, path: str, dpi: int, count: int) -> None:
    """Draw a forest plot of the `count` best of all runs, labelled by study and name.

    table: CSV of all runs of all studies: `study,run,folder`, and what `study` reads except
    `tied_with_best`, which holds within a study only. A run of two studies has two rows and is drawn once.
    """
    runs = finished(read_table(table)).drop_duplicates("folder")
    with style.figure(path, dpi) as figure:
        draw_top_runs(figure, runs.nlargest(count, "final_val_auc"))


def draw_top_runs(figure: Figure, runs: pd.DataFrame) -> None:
    """Draw what `top_runs` describes."""
    axes = _draw_rows(figure, runs, [f"{row.study}: {row.run}" for row in runs.itertuples()])
    _draw_dots(axes, runs, runs.final_val_auc.notna(), colour=style.INK)  # not that of a tie
    _finish(figure, axes, runs, "Best configurations of all studies")


def _draw_rows(figure: Figure, runs: pd.DataFrame, labels: list[str]) -> Axes:
    """Make axes with a row per run, whose dots are drawn later."""
    details = list(runs.validated_on) if runs.validated_on.nunique() > 1 else None
    notes = [
        f"{row.final_val_auc:.4f} ({row.val_auc_low:.4f}–{row.val_auc_high:.4f})" for row in runs.itertuples()
    ]
    axes = forest.rows(figure, range(len(runs)), labels, notes, details)
    axes.set_xlim(style.zoomed(runs.val_auc_low.min(), runs.val_auc_high.max()))
    axes.set_xlabel(f"{style.VALIDATION_AUROC}, with 95 % interval")
    return axes


def _draw_dots(axes: Axes, runs: pd.DataFrame, chosen: pd.Series, **look) -> None:
    """Draw the chosen runs, each in its row; a look that no run has stays out of the legend."""
    if chosen.any():
        these = runs[chosen]
        values = these.final_val_auc, these.val_auc_low, these.val_auc_high
        forest.dots(axes, np.flatnonzero(chosen), *values, **look)


def _finish(figure: Figure, axes: Axes, runs: pd.DataFrame, title: str) -> None:
    best = runs.final_val_auc.max()
    axes.axvline(best, color=style.MUTED, lw=1, ls="--", zorder=1, label="highest AUROC")
    style.legend_below(figure, axes)
    style.heading(figure, title)
