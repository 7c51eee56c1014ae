"""How classes and pixel values are distributed in the labelled patches."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.figures import style
from histopatch.files import read_table

CHANNELS = ("red", "green", "blue")


def class_balance(table: str, path: str, dpi: int) -> None:
    """Draw one bar per class: its number of patches and their share.

    table: CSV `label,patches,share`.
    """
    with style.figure(path, dpi) as figure:
        draw_class_balance(figure, read_table(table))


def draw_class_balance(figure: Figure, balance: pd.DataFrame) -> None:
    """Draw what `class_balance` describes."""
    figure.set_figheight(2.6)
    axes = figure.subplots()
    names = [style.CLASSES[label] for label in balance.label]
    style.horizontal_bars(
        axes,
        labels=[style.class_name(label) for label in balance.label],
        values=balance.patches,
        notes=[f"{row.patches:,} ({100 * row.share:.1f} %)" for row in balance.itertuples()],
        colours=[style.COLOURS[name] for name in names],
    )
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("patches")
    axes.set_ylabel("class (label)")
    style.heading(figure, "Class balance of the labelled patches")


def rgb_histograms(table: str, path: str, dpi: int) -> None:
    """Draw the distribution of the pixel values of each class, one panel per colour channel.

    table: CSV `label,channel,value,share`, the share of a class's pixels that have a value (0–255).
    """
    with style.figure(path, dpi) as figure:
        draw_rgb_histograms(figure, pd.read_csv(table))


def draw_rgb_histograms(figure: Figure, histograms: pd.DataFrame) -> None:
    """Draw what `rgb_histograms` describes."""
    # Saturated pixels pile up at both ends; the axis is scaled to the values in between.
    top = 110 * histograms.share[histograms.value.between(1, 254)].max()
    panels = figure.subplots(1, len(CHANNELS), sharey=True)
    for axes, channel in zip(panels, CHANNELS, strict=True):
        _draw_channel(axes, histograms[histograms.channel == channel], top)
        axes.set_xlabel(f"{channel} value (0–255)")
    panels[0].set_ylim(0, top)
    panels[0].set_ylabel("share of pixels of the class (%)")
    style.legend_below(figure, panels[0])
    style.heading(figure, "Pixel values by class and colour channel")


def _draw_channel(axes: Axes, histograms: pd.DataFrame, top: float) -> None:
    beyond = []
    for label, histogram in histograms.groupby("label"):
        name, percent = style.CLASSES[label], 100 * histogram.share
        axes.step(histogram.value, percent, where="mid", lw=1.2, color=style.COLOURS[name], label=name)
        beyond += [
            f"{name}: {100 * row.share:.1f} % at {row.value}" for row in histogram[percent > top].itertuples()
        ]
    axes.set_title("\n".join(beyond), fontsize=9)
    axes.set_xticks([0, 64, 128, 192, 255])
    axes.set_xlim(0, 255)
