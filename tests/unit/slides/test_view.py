import numpy as np
import pytest
from PIL import Image

from histopatch.slides.slide import open_slide
from histopatch.slides.view import View


@pytest.mark.parametrize(
    ("scale", "level", "factor"),
    [
        (1, 0, 1),
        (1.01, 0, 1),
        (0.99, 0, 1),
        (1.5, 0, 1.5),
        (1.97, 1, 1),
        (3, 1, 1.5),
        (9, 2, 2.25),
        (0.5, 0, 0.5),
    ],
)
def test_the_best_level_is_the_coarsest_that_is_fine_enough(pyramid, mosaic, scale, level, factor):
    with open_slide(pyramid(mosaic, levels=3)) as slide:
        view = View.of(slide, scale)
    assert (view.level, view.factor) == (level, pytest.approx(factor))


@pytest.mark.parametrize("scale", [1.5, 2.6, 0.7])
def test_regions_are_those_of_the_whole_slide_resampled(pyramid, mosaic, scale):
    """A region does not depend on what is read beside it."""
    with open_slide(pyramid(mosaic)) as slide:
        view = View.of(slide, scale)
        width, height = view.size
        assert (width, height) == (int(768 / scale), int(576 / scale))
        box = (0, 0, width * scale, height * scale)
        whole = np.asarray(Image.fromarray(mosaic).resize((width, height), Image.Resampling.BICUBIC, box))
        for x, y in [(0, 0), (50, 31), (width - 40, height - 30)]:
            found = view.read(x, y, 40, 30)
            assert np.abs(found.astype(int) - whole[y : y + 30, x : x + 40]).max() <= 1


def test_resampling_does_not_alias(pyramid):
    """Stripes that are too fine to be seen become grey."""
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    with open_slide(pyramid(stripes)) as slide:
        found = View.of(slide, 5.0).read(20, 20, 30, 30)
    assert np.abs(found.astype(int) - 100).max() <= 4
