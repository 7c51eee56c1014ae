"""Flow diagram of images, label rows, patches and slides, as CONSORT and STARD ask for."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from histopatch.figures import style
from histopatch.files import read_table

LINE, PAD, GAP = 0.2, 0.12, 0.38  # inches: a line of text, around it, and between boxes
SOURCE, EXCLUDED = 1.7, 2.3  # widths in inches
REASONS = 6  # that are written out; the rest is added up
SIDES = 6  # of the split that have a box of their own


def flow(table: str, path: str, dpi: int, name: str) -> None:
    """Draw how many images and label rows there are, why others are left out, and the sides of a split.

    table: CSV `step,reason,count,positive,slides,positive_slides`. name: of the split.
    """
    with style.figure(path, dpi) as figure:
        draw_flow(figure, read_table(table), name)


def draw_flow(figure: Figure, table: pd.DataFrame, name: str) -> None:
    """Draw what `flow` describes."""
    images, rows, patches = (table[table.step == step].iloc[0] for step in ("image", "label row", "patch"))
    sides = _sides(table)
    lost = _lost_slides(images, patches)
    sources = [_lines("Image files", images, "images"), _lines("Label rows", rows, "rows")]
    excluded = [
        _excluded(table[table.step == "image excluded"], lost),
        _excluded(table[table.step == "row excluded"], []),
    ]
    usable = _lines("Usable patches", patches, "patches")
    # From the top down; the boxes of what is excluded lie beside the arrows out of the sources.
    between = max(map(_height, excluded)) + GAP
    heights = [max(map(_height, sources)), between, _height(usable), GAP + 0.1, max(map(_height, sides))]
    total = sum(heights)
    figure.set_figheight(total + 0.7)
    axes = figure.subplots()
    axes.set(xlim=(0, style.WIDTH), ylim=(-total - 0.02, 0.02), aspect="equal")
    axes.set_axis_off()
    middle = style.WIDTH / 2
    _draw_sources(axes, sources, excluded, heights[0], between)
    top = -heights[0] - between
    _box(axes, middle, top, 2 * SOURCE + 0.4, usable)
    _draw_sides(axes, sides, top - heights[2], heights[3])
    style.heading(figure, f"Flow of patches into the split {style.name(name)}")


def _draw_sources(axes: Axes, sources: list, excluded: list, height: float, between: float) -> None:
    """The image files and the label rows, and beside the arrows out of them what is excluded."""
    for source, left_out, side in zip(sources, excluded, (-1, 1), strict=True):
        x = style.WIDTH / 2 + side * (SOURCE / 2 + 0.2)
        _box(axes, x, 0, SOURCE, source, height)
        _arrow(axes, (x, -height), (x, -height - between))
        outer = style.WIDTH / 2 + side * (SOURCE + 0.25 + GAP / 2 + EXCLUDED / 2)
        start = -height - GAP / 2
        _box(axes, outer, start, EXCLUDED, left_out, align="left", color=style.MUTED)
        level = start - _height(left_out) / 2
        _arrow(axes, (x, level), (outer - side * EXCLUDED / 2, level))


def _draw_sides(axes: Axes, sides: list, top: float, gap: float) -> None:
    """The sides of the split, under the patches that they are of."""
    pitch = style.WIDTH / len(sides)
    width, level = min(pitch - 0.12, 2.4), top - gap / 2
    height = max(map(_height, sides))
    centres = [pitch * (place + 0.5) for place in range(len(sides))]
    axes.plot([style.WIDTH / 2] * 2, [top, level], color=style.INK, lw=1)
    axes.plot([centres[0], centres[-1]], [level, level], color=style.INK, lw=1)
    for x, side in zip(centres, sides, strict=True):
        _arrow(axes, (x, level), (x, top - gap))
        _box(axes, x, top - gap, width, side, height)


def _sides(table: pd.DataFrame) -> list[list[str]]:
    """The lines of each side's box; many folds share one."""
    rows = table[~table.step.str.contains("image|row|^patch$")]
    folds = rows[rows.step.str.startswith("fold")]
    boxes = {row.step: _lines(_side_name(row.step, len(folds)), row, "patches") for _, row in rows.iterrows()}
    if len(rows) > SIDES:
        spread = f"{folds['count'].min():,}–{folds['count'].max():,} patches each"
        merged = ["Cross-validation", f"{len(folds)} folds", spread]
        boxes = {"folds": merged} | {
            step: lines for step, lines in boxes.items() if step not in {*folds.step}
        }
    return [*boxes.values()]


def _side_name(step: str, folds: int) -> str:
    if step == "held out":
        return "Held out"
    if step == "training":
        return "Training" if folds == 1 else "Always training"
    return "Validation" if folds == 1 else f"Fold {step.removeprefix('fold ')}"


def _lines(title: str, row: pd.Series, unit: str) -> list[str]:
    lines = [title, f"{row['count']:,.0f} {unit}"]
    if pd.notna(row.positive):
        lines.append(f"{row.positive:,.0f} positive")
    if pd.notna(row.slides):
        lines.append(f"{row.slides:,.0f} {'slide' if row.slides == 1 else 'slides'}")
        if pd.notna(row.positive_slides):
            lines[-1] += f", {row.positive_slides:,.0f} positive"
    return lines


def _lost_slides(images: pd.Series, patches: pd.Series) -> list[str]:
    """Slides of which no patch is left."""
    lost = 0 if pd.isna(images.slides) else images.slides - patches.slides
    return [f"{lost:,.0f} {'slide' if lost == 1 else 'slides'} with all patches"] if lost else []


def _excluded(table: pd.DataFrame, more: list[str]) -> list[str]:
    """How many are excluded and why, the most common reason first."""
    shown, rest = table[:REASONS], table[REASONS:]
    reasons = [f"{row['count']:,.0f} {row.reason.removeprefix('image ')}" for _, row in shown.iterrows()]
    if len(rest):
        reasons.append(f"{rest['count'].sum():,.0f} for {len(rest)} other reasons")
    wrapped = [line for reason in [*reasons, *more] for line in style.wrapped(reason, 32).split("\n")]
    return [f"Excluded: {table['count'].sum():,.0f}", *wrapped]


def _height(lines: list[str]) -> float:
    return LINE * len(lines) + 2 * PAD


def _box(
    axes: Axes, x: float, top: float, width: float, lines: list[str], height=None, align="center", color=None
) -> None:
    """A box around centred or left-aligned lines, the first of them bold, from its top down."""
    height = height or _height(lines)
    edge = color or style.MAIN
    axes.add_patch(
        Rectangle((x - width / 2, top - height), width, height, facecolor="white", edgecolor=edge, lw=1.2)
    )
    left = x if align == "center" else x - width / 2 + PAD
    start = top - (height - LINE * len(lines)) / 2
    for place, line in enumerate(lines):
        weight = "bold" if place == 0 else "normal"
        axes.text(
            left, start - LINE * (place + 0.5), line, ha=align, va="center", fontsize=9, fontweight=weight
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": style.INK, "lw": 1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
