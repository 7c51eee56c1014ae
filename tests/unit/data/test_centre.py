import pytest

from histopatch.data.centre import centre


@pytest.mark.parametrize(
    ("size", "expected"), [(96, (32, 64)), (97, (32, 65)), (224, (75, 149)), (64, (21, 43)), (32, (11, 21))]
)
def test_the_centre_is_the_central_third(size, expected):
    assert (centre(size).start, centre(size).stop) == expected


@pytest.mark.parametrize("size", range(3, 300))
def test_it_has_the_pixels_whose_middle_is_in_the_central_third(size):
    inside = [pixel for pixel in range(size) if 1 / 3 < (pixel + 0.5) / size < 2 / 3]
    assert list(range(size))[centre(size)] == inside
