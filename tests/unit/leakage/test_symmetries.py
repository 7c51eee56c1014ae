import numpy as np
import pytest

from histopatch.leakage.symmetries import symmetries, turn_point

SIDE = 5


@pytest.fixture
def image() -> np.ndarray:
    return np.arange(SIDE**2).reshape(SIDE, SIDE)


def test_there_are_eight_and_the_first_is_the_image(image):
    orientations = symmetries(image)
    assert np.array_equal(orientations[0], image)
    assert len({orientation.tobytes() for orientation in orientations}) == 8


def test_they_are_the_same_eight_from_wherever_one_starts(image):
    expected = {orientation.tobytes() for orientation in symmetries(image)}
    for start in symmetries(image):
        assert {orientation.tobytes() for orientation in symmetries(start)} == expected


def test_only_the_last_two_axes_are_turned(image):
    stack = np.stack([image, image + 100])
    for turned, single in zip(symmetries(stack), symmetries(image), strict=True):
        assert np.array_equal(turned, np.stack([single, single + 100]))


@pytest.mark.parametrize("orientation", range(8))
def test_a_point_goes_where_its_pixel_goes(image, orientation):
    turned = symmetries(image)[orientation]
    for y, x in np.ndindex(SIDE, SIDE):
        assert turned[turn_point(y, x, SIDE, orientation)] == image[y, x]
