import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from histopatch.figures import forest, style
from histopatch.figures import groups as figure_groups


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


def make_groups(count, kind="slide"):
    """Groups of both parts by turns, in no order; the first of every ten has one class only."""
    generator = np.random.default_rng(0)
    auc = np.where(np.arange(count) % 10 == 0, np.nan, generator.uniform(0.8, 0.98, count))
    return pd.DataFrame(
        {
            "part": [("held out", "validation")[i % 2] for i in range(count)],
            "group": [f"{i:03d}" for i in range(count)],
            "kind": kind,
            "patches": generator.integers(10, 2000, count),
            "positive": 5,
            "auc": auc,
            "auc_low": auc - 0.1,
            "auc_high": auc + 0.015,
        }
    )


def part_dots(axes):
    """The dots of each part."""
    return {group.get_label(): group for group in axes.collections if not group.get_label().startswith("_")}


@pytest.mark.parametrize("count", [4, 30, 400])
def test_groups_are_sorted_within_their_part(render, count, assert_inside):
    groups = make_groups(count)
    figure = render(figure_groups.draw_auc_by_group, groups)
    axes = figure.axes[0]
    dots = part_dots(axes)
    assert list(dots) == legend(figure) == ["validation", "held out"]
    for part, drawn in dots.items():
        auc = groups[groups.part == part].auc.dropna().sort_values(ascending=False)
        assert drawn.get_offsets()[:, 0].tolist() == auc.tolist()
        rows = drawn.get_offsets()[:, 1]
        assert (np.diff(rows) == 1).all()
        assert to_hex(drawn.get_facecolor()[0]) == style.COLOURS[part].lower()
    gap = dots["held out"].get_offsets()[0, 1] - dots["validation"].get_offsets()[-1, 1]
    assert gap >= 2
    assert axes.yaxis_inverted()
    low, high = axes.get_xlim()
    assert low <= groups.auc_low.min()
    assert groups.auc_high.max() <= high
    assert_inside(figure)


def test_groups_are_named_with_their_numbers(render):
    groups = make_groups(4)[2:]
    axes = render(figure_groups.draw_auc_by_group, groups).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["003", "002"]
    row = groups.iloc[1]
    note = f"{row.auc:.3f} ({row.auc_low:.3f}–{row.auc_high:.3f}), {row.patches:,} patches"
    assert axes.texts[0].get_text() == note
    assert axes.figure.get_suptitle() == "AUROC of the final model by slide"


def test_whiskers_of_groups_span_the_interval(render):
    groups = make_groups(4)[3:]
    whiskers = render(figure_groups.draw_auc_by_group, groups).axes[0].collections[0].get_segments()
    row = groups.iloc[0]
    assert whiskers[0][:, 0].tolist() == pytest.approx([row.auc_low, row.auc_high])


def test_a_group_with_too_few_for_an_interval_is_a_hollow_dot(render):
    groups = make_groups(4)[1:]
    groups.iloc[0, -2:] = 0.0, 1.0
    axes = render(figure_groups.draw_auc_by_group, groups).axes[0]
    assert "hollow: too few for one" in axes.get_xlabel()
    assert f"{groups.auc.iloc[0]:.3f}, {groups.patches.iloc[0]:,} patches" in [
        t.get_text() for t in axes.texts
    ]
    assert axes.get_xlim()[0] > 0.5


@pytest.mark.parametrize("count", [30, 400])
def test_larger_groups_have_larger_dots(render, count):
    groups = make_groups(count).dropna()
    for part, drawn in part_dots(render(figure_groups.draw_auc_by_group, groups).axes[0]).items():
        patches = groups[groups.part == part].sort_values("auc", ascending=False).patches
        assert (np.argsort(drawn.get_sizes()) == np.argsort(patches.to_numpy())).all()
        assert drawn.get_sizes().min() >= 3


def test_dots_in_the_legend_are_equally_large_whatever_the_groups(render):
    handles = render(figure_groups.draw_auc_by_group, make_groups(400)).legends[0].legend_handles
    assert {size for handle in handles for size in handle.get_sizes()} == {forest.AREA}


def test_many_groups_have_thin_rows_without_names(render):
    figure = render(figure_groups.draw_auc_by_group, make_groups(400))
    assert len(figure.axes[0].get_yticks()) == 0
    assert figure.axes[0].get_ylabel() == "360 slides"
    assert figure.get_figheight() < 11


def test_of_very_many_groups_some_of_every_rank_are_drawn_the_extremes_too(render):
    groups = make_groups(4000)
    few = groups.part == "held out"
    groups = pd.concat([groups[~few], groups[few].dropna()[:3]])
    axes = render(figure_groups.draw_auc_by_group, groups).axes[0]
    assert axes.get_ylabel() == "2,003 slides, 503 of which are drawn"
    drawn = {part: np.asarray(dots.get_offsets())[:, 0] for part, dots in part_dots(axes).items()}
    assert len(drawn["held out"]) == 3
    deciles, known = np.linspace(0, 1, 11), groups.auc[groups.part == "validation"]
    assert np.quantile(drawn["validation"], deciles) == pytest.approx(np.quantile(known, deciles), abs=0.002)
    assert (drawn["validation"].min(), drawn["validation"].max()) == (known.min(), known.max())


def test_groups_with_one_class_are_counted_below_the_axes(render):
    for count, words in (
        (4, "not shown: 1 slide with patches of one class only"),
        (30, "not shown: 3 slides with patches of one class only"),
    ):
        axes = render(figure_groups.draw_auc_by_group, make_groups(count)).axes[0]
        sentence = axes.texts[-1]
        assert sentence.get_text() == words
        assert sentence.get_window_extent().y1 <= axes.xaxis.label.get_window_extent().y0
    axes = render(figure_groups.draw_auc_by_group, make_groups(30).dropna()).axes[0]
    assert not any("one class" in text.get_text() for text in axes.texts)


def test_folds_and_slides_are_both_named(render):
    groups = pd.concat([make_groups(4, "fold"), make_groups(4)])
    axes = render(figure_groups.draw_auc_by_group, groups).axes[0]
    assert axes.texts[-1].get_text() == "not shown: 1 fold and 1 slide with patches of one class only"
    assert axes.figure.get_suptitle() == "AUROC of the final model by fold and slide"


def test_without_any_auroc_it_says_so(render, assert_inside):
    figure = render(figure_groups.draw_auc_by_group, make_groups(1))
    assert figure.axes[0].texts[0].get_text().startswith("No group has patches of both classes")
    assert_inside(figure)


def test_auc_by_group_reads_its_table_and_keeps_names_as_written(tmp_path, is_written, monkeypatch):
    make_groups(12).to_csv(tmp_path / "table.csv", index=False)
    drawn = []
    draw = figure_groups.draw_auc_by_group
    monkeypatch.setattr(
        figure_groups, "draw_auc_by_group", lambda *inputs: drawn.append(inputs) or draw(*inputs)
    )
    figure_groups.auc_by_group(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert list(drawn[0][1].group)[:2] == ["000", "001"]
    assert is_written()


def test_groups_may_be_called_anything(tmp_path, is_written):
    make_groups(4).assign(group=["NA", "null", "007", "1e5"]).to_csv(tmp_path / "table.csv", index=False)
    figure_groups.auc_by_group(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert is_written()
