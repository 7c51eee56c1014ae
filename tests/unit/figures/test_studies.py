from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from PIL import Image

from histopatch.figures import studies, style
from histopatch.files import read_table

CAPTION = Path(__file__).parents[3] / "workflow/report/study.rst"


def tick_labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


def drawn_dots(axes):
    """AUROC and row of every dot."""
    groups = [group for group in axes.collections if isinstance(group, PathCollection)]
    return [dot for group in groups for dot in group.get_offsets().tolist()]


def look(axes, label):
    """Rows of the dots of a legend entry, and their face and edge."""
    group = next(group for group in axes.collections if group.get_label() == label)
    rows = [row for _, row in group.get_offsets().tolist()]
    return rows, to_hex(group.get_facecolor()[0]), to_hex(group.get_edgecolor()[0])


@pytest.mark.parametrize("aurocs", [[0.7], [0.985, 0.98, 0.9797], [0.99 - i / 4000 for i in range(40)]])
def test_dots_are_zoomed_and_in_order(render, aurocs, assert_inside, make_runs):
    runs = make_runs(aurocs)
    figure = render(studies.draw_study, runs, "grid")
    axes = figure.axes[0]
    assert drawn_dots(axes) == [[auc, row] for row, auc in enumerate(aurocs)]
    assert tick_labels(axes) == list(runs.run)
    assert axes.texts[0].get_text() == f"{aurocs[0]:.4f} ({aurocs[0] - 0.004:.4f}–{aurocs[0] + 0.002:.4f})"
    assert axes.yaxis_inverted()  # the first run is on top
    lower, upper = axes.get_xlim()
    assert 0.5 < lower < runs.val_auc_low.min()
    assert runs.val_auc_high.max() < upper
    assert figure.get_suptitle() == "Runs of the study grid"
    assert not figure.legends[0].get_window_extent().overlaps(axes.get_tightbbox())
    assert_inside(figure)


def test_of_many_runs_the_best_are_drawn_and_the_title_says_so(render, assert_inside, make_runs):
    runs = make_runs([0.99 - i / 4000 for i in range(1200)])
    figure = render(studies.draw_study, runs, "grid")
    assert tick_labels(figure.axes[0]) == list(runs.run[:50])
    assert figure.get_suptitle() == "The 50 best runs of the study grid"
    assert "of the 50 best" in CAPTION.read_text()
    assert_inside(figure)


def test_whiskers_span_the_interval(render, make_runs):
    axes = render(studies.draw_study, make_runs([0.98, 0.97]), "").axes[0]
    # Those of the highest run, then those of the other one.
    whiskers = [segment for lines in axes.collections[::2] for segment in lines.get_segments()]
    assert whiskers[0].tolist() == pytest.approx(np.array([[0.976, 0], [0.982, 0]]))
    assert whiskers[1].tolist() == pytest.approx(np.array([[0.966, 1], [0.972, 1]]))


def test_a_line_marks_the_best_auroc(render, make_runs):
    line = render(studies.draw_study, make_runs([0.98, 0.97]), "").axes[0].lines[0]
    assert (line.get_xdata(), line.get_linestyle()) == ([0.98, 0.98], "--")


def test_looks_tell_which_runs_are_as_good_as_the_best(render, tmp_path, make_runs):
    runs = make_runs([0.99, 0.98, 0.97, 0.96], tied_with_best=[True, False, None, True])
    runs.to_csv(tmp_path / "table.csv", index=False)
    figure = render(studies.draw_study, read_table(tmp_path / "table.csv"), "")
    axes = figure.axes[0]
    assert look(axes, studies.HIGHEST) == ([0], style.INK, style.INK)
    assert look(axes, studies.TIED) == ([3], style.MAIN.lower(), style.MAIN.lower())
    assert look(axes, studies.LOWER) == ([1], style.OTHER.lower(), style.OTHER.lower())
    assert look(axes, style.NOT_TESTED) == ([2], "#ffffff", style.MUTED)
    assert legend(figure) == [
        studies.HIGHEST, studies.TIED, studies.LOWER, style.NOT_TESTED, "highest AUROC",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tied", "entries"),
    [
        ([True, True], [studies.TIED]),
        ([True, False], [studies.LOWER]),
        ([True, None], [style.NOT_TESTED]),
    ],
)
def test_the_legend_has_only_what_occurs(render, tied, entries, make_runs):
    figure = render(studies.draw_study, make_runs([0.98, 0.97], tied_with_best=tied), "")
    assert legend(figure) == [studies.HIGHEST, *entries, "highest AUROC"]


def test_runs_say_what_they_validate_on_where_that_differs(render, assert_inside, make_runs):
    on = ["random patches: expect less on new slides", "unseen appearance (stand-in for slides)"]
    figure = render(studies.draw_study, make_runs([0.98, 0.97], validated_on=on), "")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels(minor=True)] == on
    assert tick_labels(axes) == ["run_0", "run_1"]
    assert_inside(figure)


def test_what_all_runs_validate_on_is_not_repeated(render, make_runs):
    axes = render(studies.draw_study, make_runs([0.98, 0.97]), "").axes[0]
    assert not axes.get_yticklabels(minor=True)


def test_long_names_and_values_stay_inside_the_figure(render, assert_inside, make_runs):
    names = ["lr=0.0001,dropout=0.2,scheduler=cosine,pos_weight=true,seed=1", "x" * 90]
    figure = render(studies.draw_study, make_runs([0.98, 0.97], run=names), "a_long_title " * 12)
    axes = figure.axes[0]
    assert_inside(figure)
    first, second = (label.get_window_extent() for label in axes.get_yticklabels())
    assert not first.overlaps(second)
    assert axes.get_window_extent().width > 0.4 * figure.bbox.width


def test_study_reads_names_that_look_like_missing_values(tmp_path, make_runs):
    make_runs([0.98, 0.97], run=["NA", "007"]).to_csv(tmp_path / "table.csv", index=False)
    studies.study(tmp_path / "table.csv", tmp_path / "figure.png", 60, "grid")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH


def test_top_runs_draws_the_best_of_all(tmp_path, monkeypatch, make_runs):
    table = make_runs([0.95, 0.99, 0.97, 0.98], lr=[1e-3, 1e-4, 2e-4, 3e-4])
    table.to_csv(tmp_path / "table.csv", index=False)
    best = []
    draw = studies.draw_top_runs
    monkeypatch.setattr(studies, "draw_top_runs", lambda *inputs: best.append(inputs) or draw(*inputs))
    studies.top_runs(tmp_path / "table.csv", tmp_path / "figure.png", 60, count=3)
    axes = best[0][0].axes[0]
    assert tick_labels(axes) == ["grid: run_1", "grid: run_3", "grid: run_2"]
    assert drawn_dots(axes) == [[0.99, 0], [0.98, 1], [0.97, 2]]
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH


def test_top_runs_do_not_speak_of_ties_which_are_per_study(render, make_runs):
    runs = make_runs([0.98, 0.97], tied_with_best=[True, False])
    figure = render(studies.draw_top_runs, runs)
    assert legend(figure) == ["highest AUROC"]
    assert len({to_hex(c) for g in figure.axes[0].collections for c in g.get_edgecolor()}) == 1


@pytest.mark.parametrize(("draw", "option"), [("study", {"name": "grid"}), ("top_runs", {"count": 3})])
def test_runs_that_failed_are_not_drawn(make_runs, tmp_path, monkeypatch, draw, option):
    drawn = []
    monkeypatch.setattr(studies, f"draw_{draw}", lambda figure, runs, *rest: drawn.append([*runs.run]))
    make_runs([0.9, None], failed=[None, "no memory"]).to_csv(tmp_path / "table.csv", index=False)
    getattr(studies, draw)(tmp_path / "table.csv", tmp_path / "figure.png", 60, **option)
    assert drawn == [["run_0"]]
