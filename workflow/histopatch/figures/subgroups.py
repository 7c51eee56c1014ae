"""The final model on each group of patches: AUROC, sensitivity and specificity with their intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histopatch.figures import forest, style
from histopatch.files import read_table

MEASURES = {"auc": "AUROC", "sensitivity": "sensitivity", "specificity": "specificity"}
LEFT_OUT = "slide"  # has a figure of its own
NONE = {"auc": "one class only", "sensitivity": "no positives", "specificity": "no negatives"}
ROW = 0.27  # inches
MOST = 40  # groups of a kind that are drawn; the table has them all


def subgroups(table: str, tests: str, path: str, dpi: int) -> None:
    """Draw a row for each group but slides, under a heading for each kind with the p-value of its test.

    Of a kind with more than MOST groups those with most patches are drawn.

    table: CSV `group,value,patches,units,note` and each of MEASURES with `…_low` and `…_high`, empty where it
    is unknown. tests: CSV `group,p_value`.
    """
    with style.figure(path, dpi) as figure:
        draw_subgroups(figure, read_table(table), read_table(tests))


def draw_subgroups(figure: Figure, table: pd.DataFrame, tests: pd.DataFrame) -> None:
    """Draw what `subgroups` describes."""
    everything = table[table.group != LEFT_OUT]
    counts = everything.group.value_counts()
    rank = everything.groupby("group").patches.rank(method="first", ascending=False)
    table = everything[rank <= MOST].reset_index(drop=True)
    kinds = list(dict.fromkeys(table.group))
    # Each kind has a row more for its heading.
    positions = np.arange(len(table)) + 1 + np.array([kinds.index(kind) for kind in table.group]) * 1.3
    headings = [positions[(table.group == kind).to_numpy()].min() - 1 for kind in kinds]
    figure.set_figheight(1.4 + ROW * (positions.max() + 1))
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    for axes, (name, label) in zip(panels, MEASURES.items(), strict=True):
        known = table[name].notna().to_numpy()
        values, low, high = (table[column][known] for column in (name, f"{name}_low", f"{name}_high"))
        forest.estimates(axes, positions[known], values, low, high, colour=style.MAIN)
        for position in positions[~known]:
            axes.text(
                0.5,
                position,
                NONE[name],
                transform=axes.get_yaxis_transform(),
                ha="center",
                va="center",
                fontsize=8,
                color=style.MUTED,
            )
        low, high = forest.told(low, high)
        axes.set_xlim(
            style.zoomed(min(low, values.min()), max(high, values.max())) if known.any() else (0, 1)
        )
        axes.set_xlabel(label)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", which="both", length=0)
    first = panels[0]
    first.set_yticks(positions, [_label(row) for row in table.itertuples()])
    first.set_ylim(positions.max() + 0.6, -0.6)
    p_values = tests.set_index("group").p_value
    first.set_yticks(
        headings, [_heading(kind, p_values[kind], counts[kind]) for kind in kinds], minor=True, weight="bold"
    )
    tested = " (p: of a test that AUROCs are equal)" if p_values[kinds].notna().any() else ""
    style.heading(figure, f"The final model by group, with 95 % intervals{tested}")


def _heading(kind: str, p_value: float, count: int) -> str:
    largest = f", the {MOST} largest of {count:,}" if count > MOST else ""
    return f"{style.name(kind)}{largest}, {'not tested' if pd.isna(p_value) else f'p = {p_value:.2g}'}"


def _label(row) -> str:
    return f"{style.name(row.value)} ({row.patches:,} patches)"
