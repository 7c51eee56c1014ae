"""Forest plots: a row for each thing compared, with a dot at its estimate and whiskers over its interval."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from histopatch.evaluation.intervals import says_nothing
from histopatch.figures import style

LABEL_WIDTH = 34  # characters, which leave half of the figure to the dots
LINE = 0.17  # inches that a line of a label takes
AREA = 45  # of a dot, in square points


def rows(
    figure: Figure,
    positions: Sequence[float],
    labels: Sequence[str],
    notes: Sequence[str],
    details: Sequence[str] | None = None,
) -> Axes:
    """Make axes with a labelled row at each position, from the top down, and the figure as high as needed.

    Long labels are wrapped. notes: text right of each row. details: one line in grey under each label.
    """
    labels = [style.wrapped(label, LABEL_WIDTH) for label in labels]
    lines = [label.count("\n") + 1 for label in labels]
    below = LINE if details else 0
    row = LINE * max(lines) + below + 0.12
    figure.set_figheight(1.5 + row * (positions[-1] - positions[0] + 1))
    axes = figure.subplots()
    style.labelled_rows(axes, positions, labels, notes)
    if details:
        # Label and detail together are centred on the row; both are tick labels, so the layout sees them.
        axes.set_yticks([p - below / 2 / row for p in positions], labels)
        under = [p + LINE * count / 2 / row for p, count in zip(positions, lines, strict=True)]
        axes.set_yticks(under, details, minor=True, fontsize=8, color=style.MUTED)
        axes.tick_params(axis="y", which="minor", length=0)
    return axes


def estimates(axes: Axes, positions, values, low, high, *, label=None, areas=AREA, **look) -> None:
    """Draw dots between 0 and 1 as `dots` does; one whose interval says nothing is hollow, without whiskers.

    positions, values, low, high: N each; areas: one, or N.
    """
    values, low, high = (np.asarray(column, float) for column in (values, low, high))
    areas, nothing = np.broadcast_to(areas, len(values)), says_nothing(low, high)
    missing = np.full(len(values), np.nan)
    for these, ends, hollow in ((~nothing, (low, high), False), (nothing, (missing, missing), True)):
        if these.any():
            ends = (end[these] for end in ends)
            dots(
                axes, np.asarray(positions)[these], values[these], *ends, areas=areas[these], hollow=hollow,
                label=label, **look,
            )  # fmt: skip
            label = None  # once in the legend


def told(low, high) -> tuple[float, float]:
    """The lowest and highest end of the intervals that say anything; 0 and 1 where none does."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    telling = ~says_nothing(low, high)
    return (low[telling].min(), high[telling].max()) if telling.any() else (0.0, 1.0)


def dots(
    axes: Axes, positions, values, low, high, *, colour, hollow=False, label=None, areas=AREA, thin=False
) -> None:
    """Draw dots that look alike, one per row, with whiskers from low to high where those are not missing.

    areas: of the dots in square points. thin: fine pale whiskers, for rows that touch each other.
    """
    axes.hlines(
        positions, low, high, color=colour, lw=0.6 if thin else 1.4, alpha=0.4 if thin else 1, zorder=2
    )
    axes.scatter(
        values, positions, s=areas, facecolor="white" if hollow else colour, edgecolor=colour,
        linewidth=1.4 if hollow else 0, zorder=3, label=label,
    )  # fmt: skip
