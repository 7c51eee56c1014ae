import pytest

from histopatch.figures import operating_points


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.31234, "0.31"), (0.99987, "0.99987"), (0.0004, "0.00040"), (0.5, "0.50"), (1.0, "1"), (0.0, "0")],
)
def test_a_threshold_has_enough_digits_to_tell_it_from_0_and_1(value, text):
    assert operating_points.threshold(value) == text


def test_a_label_is_the_aim_and_the_threshold(points):
    first = points.iloc[0]
    assert operating_points.label(first) == "95 % sensitivity (threshold 0.31)"
    assert operating_points.label(first, separator="\n") == "95 % sensitivity\n(threshold 0.31)"
