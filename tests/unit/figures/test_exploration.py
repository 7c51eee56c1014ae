import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.figures import exploration, style


@pytest.fixture
def balance():
    return pd.DataFrame({"label": [0, 1], "patches": [13000, 9000], "share": [0.5909, 0.4091]})


def test_class_balance_has_a_bar_per_class(render, balance):
    axes = render(exploration.draw_class_balance, balance).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [13000, 9000]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "negative (0)",
        "positive (1)",
    ]
    assert [text.get_text() for text in axes.texts] == ["13,000 (59.1 %)", "9,000 (40.9 %)"]
    assert axes.get_xlim()[0] == 0
    assert axes.get_xlabel() == "patches"


def test_class_balance_reads_its_table(tmp_path, balance):
    balance.to_csv(tmp_path / "table.csv", index=False)
    exploration.class_balance(tmp_path / "table.csv", tmp_path / "figure.png", dpi=60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH


@pytest.fixture
def histograms():
    """Flat but for saturated pixels: 20 % of the negatives' red values are 255."""
    tables = []
    for label in (0, 1):
        for channel in exploration.CHANNELS:
            share = np.full(256, (0.9 + 0.1 * label) / 256)
            if (label, channel) == (0, "red"):
                share[255] = 0.2
            values = {"label": label, "channel": channel, "value": range(256), "share": share}
            tables.append(pd.DataFrame(values))
    return pd.concat(tables)


def test_rgb_histograms_have_a_panel_per_channel_and_a_curve_per_class(render, histograms):
    figure = render(exploration.draw_rgb_histograms, histograms)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "red value (0–255)", "green value (0–255)", "blue value (0–255)",
    ]  # fmt: skip
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["negative", "positive"]
        assert axes.lines[0].get_ydata()[0] == pytest.approx(90 / 256)
        assert axes.get_ylim() == figure.axes[0].get_ylim()
    assert [text.get_text() for text in figure.legends[0].texts] == ["negative", "positive"]


def test_saturated_pixels_are_told_rather_than_stretch_the_axis(render, histograms):
    red, green, _ = render(exploration.draw_rgb_histograms, histograms).axes
    assert red.get_ylim()[1] == pytest.approx(1.1 * 100 / 256)
    assert red.get_title() == "negative: 20.0 % at 255"
    assert green.get_title() == ""


def test_rgb_histograms_read_their_table(tmp_path, histograms):
    histograms.to_csv(tmp_path / "table.csv", index=False)
    exploration.rgb_histograms(tmp_path / "table.csv", tmp_path / "figure.png", dpi=60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH
