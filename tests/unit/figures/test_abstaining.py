import numpy as np
import pandas as pd
import pytest

from histopatch.figures import abstaining

CURVE = pd.DataFrame({"coverage": [0.5, 1.0], "error": [0.02, 0.08], "confidence": [0.4, 0.01]})
POINTS = pd.DataFrame(
    {
        "share": [0.05, 0.3],
        "chosen_on": "validation patches",
        "reported_on": "held-out patches",
        "abstained_share": [0.06, 0.25],
        "error": [0.07, 0.04],
        "error_low": [0.05, 0.02],
        "error_high": [0.1, 0.08],
    }
)


def test_thresholds_are_dots_at_what_they_come_to(render, assert_inside):
    figure = render(abstaining.draw_abstaining, CURVE, POINTS)
    (axes,) = figure.axes
    dots = axes.lines[1]
    assert dots.get_xdata() == pytest.approx([94, 75])
    assert dots.get_ydata() == pytest.approx([7, 4])
    assert [text.get_text() for text in axes.texts] == ["5 %", "30 %"]
    assert_inside(figure)


def test_shares_that_come_to_the_same_have_one_label(render):
    points = POINTS.loc[[0, 0, 1]].assign(share=[0.05, 0.1, 0.3])
    (axes,) = render(abstaining.draw_abstaining, CURVE, points).axes
    assert [text.get_text() for text in axes.texts] == ["5–10 %", "30 %"]


def test_a_threshold_that_calls_nothing_has_no_dot(render):
    points = POINTS.assign(error=[np.nan, 0.04])
    (axes,) = render(abstaining.draw_abstaining, CURVE, points).axes
    assert axes.lines[1].get_xdata() == pytest.approx([75])


def test_it_is_drawn_from_files(tmp_path, is_written):
    CURVE.to_csv(tmp_path / "curve.csv", index=False)
    POINTS.to_csv(tmp_path / "points.csv", index=False)
    paths = [str(tmp_path / name) for name in ("curve.csv", "points.csv", "figure.png")]
    abstaining.abstaining(*paths, 60)
    assert is_written()


def test_mean_ranks_are_no_confidence(render):
    figure = render(abstaining.draw_abstaining, CURVE, POINTS[:0])
    assert "no probabilities" in figure.axes[0].texts[0].get_text()
