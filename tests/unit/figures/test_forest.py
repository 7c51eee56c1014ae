import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from histopatch.figures import forest


def test_rows_are_labelled_from_the_top_down_with_notes(render, assert_inside):
    def draw(figure):
        forest.rows(figure, [0, 1, 2.5], ["first", "second", "last"], ["a", "b", "c"])

    figure = render(draw)
    axes = figure.axes[0]
    assert axes.yaxis_inverted()
    assert axes.get_yticks().tolist() == [0, 1, 2.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second", "last"]
    assert [(text.get_text(), text.get_position()[1]) for text in axes.texts] == [
        ("a", 0), ("b", 1), ("c", 2.5),
    ]  # fmt: skip
    assert_inside(figure)


def test_details_stand_under_their_label_and_touch_nothing(render, assert_inside):
    long = "a label of so many words that it takes three lines of the figure, which is many"
    labels = ["one line", long, "one line"]

    def draw(figure):
        forest.rows(figure, range(3), labels, [""] * 3, [f"detail {i}" for i in range(3)])

    figure = render(draw)
    axes = figure.axes[0]
    details = axes.get_yticklabels(minor=True)
    assert [detail.get_text() for detail in details] == ["detail 0", "detail 1", "detail 2"]
    boxes = [
        text.get_window_extent()
        for pair in zip(axes.get_yticklabels(), details, strict=True)
        for text in pair
    ]
    for above, below in itertools.pairwise(boxes):
        assert above.y0 > below.y0
        assert above.y0 >= below.y1 - 2  # the empty edge of a line of text
    assert_inside(figure)


def dots(render, **look):
    def draw(figure):
        low, high = np.array([0.8, np.nan]), np.array([0.95, np.nan])
        forest.dots(figure.subplots(), [0, 1], [0.9, 0.7], low, high, colour="#0072B2", **look)

    whiskers, markers = render(draw).axes[0].collections
    return whiskers, markers


def test_whiskers_span_the_interval_and_are_left_out_where_there_is_none(render):
    whiskers, markers = dots(render)
    drawn = [segment for segment in whiskers.get_segments() if len(segment)]
    assert [segment.tolist() for segment in drawn] == [[[0.8, 0], [0.95, 0]]]
    assert markers.get_offsets().tolist() == [[0.9, 0], [0.7, 1]]


@pytest.mark.parametrize(("hollow", "face"), [(False, "#0072b2"), (True, "#ffffff")])
def test_hollow_dots_have_an_outline_only(render, hollow, face):
    _, markers = dots(render, hollow=hollow)
    assert to_hex(markers.get_facecolor()[0]) == face
    assert to_hex(markers.get_edgecolor()[0]) == "#0072b2"


def test_thin_whiskers_are_paler_than_their_dots(render):
    whiskers, markers = dots(render, thin=True)
    assert whiskers.get_linewidth()[0] < dots(render)[0].get_linewidth()[0]
    assert whiskers.get_alpha() < 1
    assert markers.get_alpha() is None
