import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from histopatch.figures import effects, style

NO_EVIDENCE = "no evidence of a difference"


@pytest.fixture
def table():
    columns = ["study", "setting", "value", "difference", "difference_low", "difference_high", "verdict"]
    rows = [
        ("grid", "lr", "0.0001", 0.004, 0.001, 0.007, "better"),
        ("grid", "lr", "0.0003", -0.004, -0.007, -0.001, "worse"),
        ("grid", "lr", "0.001", 0.0, -0.001, 0.001, NO_EVIDENCE),
        ("grid", "dropout", "0.1", -0.001, -0.003, 0.002, NO_EVIDENCE),
        ("grid", "dropout", "0.2", 0.001, -0.002, 0.003, NO_EVIDENCE),
        ("architecture", "weights", "None", 0.002, None, None, None),
    ]
    return pd.DataFrame(rows, columns=columns)


def drawn_dots(axes):
    """Position and difference of the dots, and whether they are filled, by legend entry."""
    return {
        group.get_label(): (group.get_offsets().tolist(), to_hex(group.get_facecolor()[0]))
        for group in axes.collections
        if not group.get_label().startswith("_")
    }


def test_each_value_has_a_row_under_its_study_and_two_have_one(render, table, assert_inside):
    figure = render(effects.draw_effects, table)
    axes = figure.axes[0]
    labels = {label.get_text(): label for label in axes.get_yticklabels()}
    assert list(labels) == [
        "Study grid", "lr = 0.0001", "lr = 0.0003", "lr = 0.001", "dropout = 0.2 rather than 0.1",
        "Study architecture", "weights = None",
    ]  # fmt: skip
    bold = [text for text, label in labels.items() if label.get_fontweight() == "bold"]
    assert bold == ["Study grid", "Study architecture"]
    assert [text.get_text() for text in axes.texts] == [
        "",
        "+0.0040 (+0.0010 to +0.0070)",
        "−0.0040 (−0.0070 to −0.0010)",
        "+0.0000 (−0.0010 to +0.0010)",
        "+0.0010 (−0.0020 to +0.0030)",
        "",
        "+0.0020",
    ]
    assert axes.yaxis_inverted()
    assert_inside(figure)


def test_settings_stand_apart(render, table):
    _, _, low, high, other, *_ = render(effects.draw_effects, table).axes[0].get_yticks()
    assert high - low < other - high


def test_looks_tell_the_verdict(render, table):
    figure = render(effects.draw_effects, table)
    axes = figure.axes[0]
    places = dict(zip((t.get_text() for t in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert drawn_dots(axes) == {
        "evidence of a difference": (
            [[0.004, places["lr = 0.0001"]], [-0.004, places["lr = 0.0003"]]], style.MAIN.lower(),
        ),
        NO_EVIDENCE: (
            [[0.0, places["lr = 0.001"]], [0.001, places["dropout = 0.2 rather than 0.1"]]], style.MUTED,
        ),
        "validated on different patches, not tested": ([[0.002, places["weights = None"]]], "#ffffff"),
    }  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].texts] == list(drawn_dots(axes))
    assert axes.lines[0].get_xdata() == [0, 0]
    low, high = axes.get_xlim()
    assert low < -0.007 and high > 0.007


def test_looks_that_do_not_occur_are_not_in_the_legend(render, table):
    figure = render(effects.draw_effects, table[3:5])
    assert [text.get_text() for text in figure.legends[0].texts] == [NO_EVIDENCE]


def test_without_rows_it_says_so(render, table, assert_inside):
    figure = render(effects.draw_effects, table[:0])
    assert "No two runs of a study differ in exactly one setting" in figure.axes[0].texts[0].get_text()
    assert not figure.axes[0].axison
    assert_inside(figure)


def test_long_names_stay_inside_the_page(render, table, assert_inside):
    table["setting"] = "augmentation.a_setting_with_a_name_of_many_words"
    table["study"] = "study_with_a_name_of_many_words" * 2
    assert_inside(render(effects.draw_effects, table))


def test_effects_read_their_table(tmp_path, table):
    table.assign(study="007").to_csv(tmp_path / "table.csv", index=False)
    effects.effects(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH


def test_a_table_without_rows_is_read(tmp_path, table):
    table[:0].to_csv(tmp_path / "table.csv", index=False)
    effects.effects(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert (tmp_path / "figure.png").exists()
