import numpy as np
import pandas as pd
import pytest

from histopatch.figures import subgroups

MEASURES = ("auc", "sensitivity", "specificity")


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    groups = ["site"] * 3 + ["appearance"] * 4 + ["slide"] * 2
    table = pd.DataFrame({"group": groups, "value": [*"ABC", *"1234", "s1", "s2"], "patches": 1200})
    for name in MEASURES:
        table[name] = generator.uniform(0.85, 0.95, 9)
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.1, table[name] + 0.04
    table.loc[2, ["auc", "sensitivity"]] = np.nan  # a site without positives
    return table


TESTS = pd.DataFrame({"group": ["site", "appearance", "slide"], "p_value": [0.031, np.nan, 0.5]})


def test_each_group_has_a_row_in_every_panel(render, table, assert_inside):
    figure = render(subgroups.draw_subgroups, table, TESTS)
    assert [axes.get_xlabel() for axes in figure.axes] == ["AUROC", "sensitivity", "specificity"]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == [f"{name} (1,200 patches)" for name in "ABC1234"]  # slides have a figure of their own
    for axes, name in zip(figure.axes, MEASURES, strict=True):
        dots = axes.collections[-1].get_offsets()
        assert dots[:, 0].tolist() == pytest.approx(table[name][:7].dropna().tolist())
        assert len(axes.collections[0].get_segments()) == len(dots)
    assert_inside(figure)


def test_an_interval_that_says_nothing_is_not_drawn(render, table):
    table.loc[0, ["auc_low", "auc_high"]] = 0.0, 1.0
    axes = render(subgroups.draw_subgroups, table, TESTS).axes[0]
    *others, missing, hollow = axes.collections
    assert hollow.get_offsets()[:, 0].tolist() == pytest.approx([table.auc[0]])
    assert hollow.get_facecolor()[0].tolist() == [1, 1, 1, 1]
    assert not any(np.isfinite(segment).all() for segment in missing.get_segments() if np.size(segment))
    assert len(others) == 2  # the whiskers and the dots of all others
    assert axes.get_xlim()[0] > 0.5  # it hides no other interval


def test_a_figure_without_any_test_has_no_p(render, table):
    assert "(p:" in render(subgroups.draw_subgroups, table, TESTS).get_suptitle()
    untested = TESTS.assign(p_value=np.nan)
    assert "(p:" not in render(subgroups.draw_subgroups, table, untested).get_suptitle()


def test_each_kind_says_whether_its_aurocs_differ(render, table):
    figure = render(subgroups.draw_subgroups, table, TESTS)
    headings = [label.get_text() for label in figure.axes[0].get_yticklabels(minor=True)]
    assert headings == ["site, p = 0.031", "appearance, not tested"]
    assert "one class only" in [text.get_text() for text in figure.axes[0].texts]
    assert "no positives" in [text.get_text() for text in figure.axes[1].texts]


def test_of_many_groups_the_largest_are_drawn(render, table, assert_inside):
    sites = pd.concat([table.iloc[[0]]] * 2000).assign(value=[f"s{n}" for n in range(2000)])
    sites["patches"] = [n if n < 1960 else 5000 for n in range(2000)]
    figure = render(subgroups.draw_subgroups, pd.concat([sites, table[3:]], ignore_index=True), TESTS)
    (axes, *_) = figure.axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows[:40] == [f"s{n} (5,000 patches)" for n in range(1960, 2000)]
    assert len(rows) == 44
    headings = [label.get_text() for label in axes.get_yticklabels(minor=True)]
    assert headings == ["site, the 40 largest of 2,000, p = 0.031", "appearance, not tested"]
    assert_inside(figure)


def test_it_is_drawn_from_files(tmp_path, table, is_written):
    table.to_csv(tmp_path / "table.csv", index=False)
    TESTS.to_csv(tmp_path / "tests.csv", index=False)
    paths = [str(tmp_path / name) for name in ("table.csv", "tests.csv", "figure.png")]
    subgroups.subgroups(*paths, 60)
    assert is_written()
