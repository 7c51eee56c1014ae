"""Figure of what each setting changed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histopatch.figures import forest, style
from histopatch.files import read_table

NO_EVIDENCE = "no evidence of a difference"  # the verdict, as the table has it
STUDY = "Study "  # begins the line above the settings of a study
LABEL_WIDTH = 34  # characters that leave the dots half of the figure
GAP = 0.5  # rows between the settings


def effects(table: str, path: str, dpi: int) -> None:
    """Draw a forest plot of the differences in AUROC that each value of a setting makes.

    table: CSV `study,setting,value,difference,difference_low,difference_high,verdict`, the rows of a study
    and setting together; the interval may be empty. A table without rows is said in words.
    """
    with style.figure(path, dpi) as figure:
        draw_effects(figure, read_table(table))


def draw_effects(figure: Figure, effects: pd.DataFrame) -> None:
    """Draw what `effects` describes."""
    if effects.empty:
        style.words(figure, "No setting varies alone between runs of a study: nothing to compare.")
        return
    lines, places = _layout(effects)
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
        (
            ~tested,
            {"colour": style.MUTED, "hollow": True, "label": "validated on different patches, not tested"},
        ),
    ):
        if chosen.any():
            these = effects[chosen]
            values = these.difference, these.difference_low, these.difference_high
            forest.dots(axes, places[chosen], *values, **look)
    axes.margins(x=0.08)
    axes.set_xlabel("difference in validation AUROC, all else equal, with 95 % interval")
    style.legend_below(figure, axes)
    style.heading(figure, "What each setting changed")


def _layout(effects: pd.DataFrame) -> tuple[list[tuple[float, str, str]], np.ndarray]:
    """Position, label and note of every line, headings included, and the position of every effect."""
    lines, places, place = [], [], 0.0
    for study, of_study in effects.groupby("study", sort=False):
        lines.append((place, style.wrapped(f"{STUDY}{study}", LABEL_WIDTH), ""))
        place += 1
        for _, of_setting in of_study.groupby("setting", sort=False):
            for row in of_setting.itertuples():
                label = style.wrapped(f"{row.setting} = {row.value}", LABEL_WIDTH)
                lines.append((place, label, _note(row)))
                places.append(place)
                place += 1
            place += GAP
    return lines, np.array(places)


def _note(row) -> str:
    if pd.isna(row.difference_low):
        return f"{row.difference:+.4f}"
    return f"{row.difference:+.4f} ({row.difference_low:+.4f} to {row.difference_high:+.4f})"
