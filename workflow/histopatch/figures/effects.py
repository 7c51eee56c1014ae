"""Forest plot of the effect of each setting on the validation AUROC."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histopatch.figures import forest, style
from histopatch.files import read_table

NO_EVIDENCE = "no evidence of a difference"  # the verdict, as the table has it
STUDY = "Study "  # begins the line above the settings of a study
GAP = 0.5  # rows between the settings


def effects(table: str, path: str, dpi: int) -> None:
    """Draw a forest plot of the difference in AUROC that each value of a setting makes.

    table: CSV `study,setting,value,difference,difference_low,difference_high,verdict`, the rows of a study
    and setting together; the interval may be empty. Of a table without rows the figure says so in words.
    """
    with style.figure(path, dpi) as figure:
        draw_effects(figure, read_table(table))


def draw_effects(figure: Figure, effects: pd.DataFrame) -> None:
    """Draw what `effects` describes."""
    if effects.empty:
        style.message(
            figure, "No two runs of a study differ in exactly one setting, so there is no effect to show."
        )
        return
    effects = _without_mirror_images(effects)
    lines, positions = _layout(effects)
    axes = forest.rows(figure, *zip(*lines, strict=True))
    for label in axes.get_yticklabels():
        if label.get_text().startswith(STUDY):
            label.set_fontweight("bold")
    axes.axvline(0, color=style.INK, lw=1, zorder=1)
    tested = effects.difference_low.notna()
    differs = tested & effects.verdict.ne(NO_EVIDENCE)
    for chosen, look in (
        (differs, {"colour": style.MAIN, "label": "evidence of a difference"}),
        (tested & ~differs, {"colour": style.MUTED, "label": NO_EVIDENCE}),
        (~tested, {"colour": style.MUTED, "hollow": True, "label": style.NOT_TESTED}),
    ):
        if chosen.any():
            these = effects[chosen]
            values = these.difference, these.difference_low, these.difference_high
            forest.dots(axes, positions[chosen], *values, **look)
    axes.margins(x=0.08)
    axes.set_xlabel("difference in validation AUROC, other settings equal, with 95 % interval")
    style.legend_below(figure, axes)
    style.heading(figure, "Effect of each setting on the validation AUROC")


def _without_mirror_images(effects: pd.DataFrame) -> pd.DataFrame:
    """The effects to draw, each with its `label`. A setting with two values has one, that of the second."""
    values = effects.groupby(["study", "setting"], sort=False).value
    first, two = values.transform("first"), values.transform("size") == 2
    labels = effects.setting + " = " + effects.value + np.where(two, " rather than " + first, "")
    return effects.assign(label=labels)[~two | (values.cumcount() == 1)]


def _layout(effects: pd.DataFrame) -> tuple[list[tuple[float, str, str]], np.ndarray]:
    """Position, label and note of every line, headings included, and the position of every effect."""
    lines, positions, position = [], [], 0.0
    for study, of_study in effects.groupby("study", sort=False):
        lines.append((position, f"{STUDY}{study}", ""))
        position += 1
        for _, of_setting in of_study.groupby("setting", sort=False):
            for row in of_setting.itertuples():
                lines.append((position, row.label, _note(row)))
                positions.append(position)
                position += 1
            position += GAP
    return lines, np.array(positions)


def _note(row) -> str:
    note = f"{row.difference:+.4f}"
    if not pd.isna(row.difference_low):
        note += f" ({row.difference_low:+.4f} to {row.difference_high:+.4f})"
    return note.replace("-", "−")  # the minus sign of the axis
