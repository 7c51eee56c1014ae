"""Figures drawn and rendered as a job does, for tests to look into."""

import pytest

from pcam.figures import style


@pytest.fixture
def render(tmp_path):
    """Run a drawing function on a fresh figure, write it, and return the figure."""

    def run(draw, *inputs):
        with style.figure(tmp_path / "figure.png", dpi=60) as figure:
            draw(figure, *inputs)
        return figure

    return run
