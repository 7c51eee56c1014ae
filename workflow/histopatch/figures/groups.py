"""The AUROC of the final model on each slide or fold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.evaluation.intervals import says_nothing
from histopatch.figures import forest, style
from histopatch.files import read_table

PARTS = ("validation", "held out")
MOST_NAMED = 40  # with more groups, a row is too thin for a name
MOST_HEIGHT = 8.5  # inches for all rows together
MOST_DRAWN = 500  # of a part; the intervals of more would be one area


def auc_by_group(table: str, path: str, dpi: int) -> None:
    """Draw the AUROC of each slide or fold, best on top within its part; of very many, some of every rank.

    table: CSV `part` (`validation` or `held out`), `group`, `kind` (`slide` or `fold`), `patches,auc,
    auc_low,auc_high`. Groups with one class only have no AUROC; they are counted below the axes.
    """
    with style.figure(path, dpi) as figure:
        draw_auc_by_group(figure, read_table(table))


def draw_auc_by_group(figure: Figure, groups: pd.DataFrame) -> None:
    """Draw what `auc_by_group` describes."""
    known = groups.dropna(subset="auc").sort_values("auc", ascending=False)
    shown = pd.concat([_of_every_rank(known[known.part == part]) for part in PARTS])
    if shown.empty:
        style.message(figure, "No group has patches of both classes, so there is no AUROC to draw.")
        return
    gap = max(1, len(shown) / MOST_NAMED)  # rows between the parts
    positions = np.arange(len(shown)) + gap * (shown.part != shown.part.iloc[0]).to_numpy()
    crowded = len(shown) > MOST_NAMED
    axes = _thin_rows(figure, positions) if crowded else _named_rows(figure, positions, shown)
    for part in shown.part.unique():
        chosen = (shown.part == part).to_numpy()
        these = shown[chosen]
        share = these.patches / shown.patches.max()
        forest.estimates(
            axes, positions[chosen], these.auc, these.auc_low, these.auc_high, colour=style.COLOURS[part],
            areas=3 + 25 * share if crowded else 12 + 90 * share, thin=crowded, label=part,
        )  # fmt: skip
    low, high = forest.told(shown.auc_low, shown.auc_high)
    axes.set_xlim(style.zoomed(min(low, shown.auc.min()), max(high, shown.auc.max())))
    axes.set_xlabel(_axis_label(shown))
    kinds = " and ".join(shown.kind.unique())
    if crowded:
        drawn = f", {len(shown):,} of which are drawn" if len(shown) < len(known) else ""
        axes.set_ylabel(" and ".join(_counted(known.kind)) + drawn)
    if groups.auc.isna().any():
        missing = " and ".join(_counted(groups.kind[groups.auc.isna()]))
        axes.annotate(
            f"not shown: {missing} with patches of one class only", xy=(0.5, 0), xycoords=axes.xaxis.label,
            xytext=(0, -5), textcoords="offset points", ha="center", va="top", fontsize=9, color=style.MUTED,
        )  # fmt: skip
    style.legend_below(figure, axes)
    for handle in figure.legends[0].legend_handles:
        handle.set_sizes([forest.AREA])  # not that of any group's dot
    style.heading(figure, f"AUROC of the final model by {kinds}")


def _of_every_rank(groups: pd.DataFrame) -> pd.DataFrame:
    """At most MOST_DRAWN of sorted groups, evenly spaced, the first and the last among them."""
    count = min(len(groups), MOST_DRAWN)
    return groups.iloc[np.linspace(0, len(groups) - 1, count).round().astype(int)]


def _named_rows(figure: Figure, positions: Sequence[float], groups: pd.DataFrame) -> Axes:
    rows = list(groups.itertuples())
    notes = [f"{_interval(row)}, {row.patches:,} patches" for row in rows]
    return forest.rows(figure, positions, [style.name(row.group) for row in rows], notes)


def _axis_label(groups: pd.DataFrame) -> str:
    hollow = "; hollow: too few for one" if says_nothing(groups.auc_low, groups.auc_high).any() else ""
    return f"AUROC with 95 % interval (larger dots: more patches{hollow})"


def _interval(row) -> str:
    if says_nothing(row.auc_low, row.auc_high):
        return f"{row.auc:.3f}"
    return f"{row.auc:.3f} ({row.auc_low:.3f}–{row.auc_high:.3f})"


def _thin_rows(figure: Figure, positions: Sequence[float]) -> Axes:
    """Make axes of rows without names, no higher than fits on a page."""
    extent = positions[-1] - positions[0] + 1
    figure.set_figheight(1.7 + min(0.12 * extent, MOST_HEIGHT))
    axes = figure.subplots()
    axes.set_ylim(positions[-1] + 1, positions[0] - 1)
    axes.set_yticks([])
    return axes


def _counted(kinds: pd.Series) -> list[str]:
    """How many groups there are of each kind, for example `3 slides`."""
    counts = kinds.value_counts(sort=False)
    return [f"{count:,} {kind}{'s' * (count != 1)}" for kind, count in counts.items()]
