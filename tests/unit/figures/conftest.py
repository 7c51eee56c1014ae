"""Figures drawn and rendered as a job does, for tests to look into."""

import pytest

from histopatch.figures import style


@pytest.fixture
def render(tmp_path):
    """Run a drawing function on a fresh figure, write it, and return the figure."""

    def run(draw, *inputs):
        with style.figure(tmp_path / "figure.png", dpi=60) as figure:
            draw(figure, *inputs)
        return figure

    return run


@pytest.fixture
def assert_inside():
    """Fail where anything drawn on a figure, text above all, reaches beyond its page."""

    def check(figure):
        # Axes and legends with all that belongs to them, as they are drawn.
        drawn = [axes.get_tightbbox() for axes in figure.axes]
        drawn += [legend.get_window_extent() for legend in figure.legends]
        drawn += [text.get_window_extent() for axes in figure.axes for text in axes.texts]
        if figure.get_suptitle():
            drawn.append(figure._suptitle.get_window_extent())
        page = figure.bbox.padded(1)
        for box in drawn:
            assert page.x0 <= box.x0 and box.x1 <= page.x1
            assert page.y0 <= box.y0 and box.y1 <= page.y1

    return check
