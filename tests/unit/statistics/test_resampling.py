import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics import resampling


def drawn(*arguments):
    return np.concatenate(list(resampling.draw_slides(*arguments)), axis=1)


def test_a_draw_is_of_as_many_slides_as_there_are():
    slides = np.arange(30) % 6
    draws = drawn(slides % 2 == 1, slides, 2000, 0)
    assert draws.shape == (6, 2000)
    assert (draws.sum(axis=0) == 6).all()
    assert draws.mean(axis=1) == pytest.approx(np.ones(6), abs=0.1)
    assert draws.var() == pytest.approx(5 / 6, abs=0.05)  # a binomial of 6 with a chance of 1/6


def test_draws_with_one_class_are_made_again():
    slides = np.array([0, 0, 1, 2])
    labels = np.array([True, False, False, False])
    draws = drawn(labels, slides, 500, 3)
    assert draws.shape == (3, 500)
    assert (draws[0] > 0).all()


def test_a_seed_is_a_draw():
    slides = np.arange(20) % 5
    labels = slides < 2
    assert (drawn(labels, slides, 9, 1) == drawn(labels, slides, 9, 1)).all()
    assert (drawn(labels, slides, 9, 1) != drawn(labels, slides, 9, 2)).any()


def test_one_slide_and_one_repeat_are_one_line():
    labels = np.array([True, False])
    with pytest.raises(InputError, match=r"^slides: all patches are from one slide"):
        drawn(labels, np.array([0, 0]), 10, 0)
    with pytest.raises(InputError, match=r"^resamples: 1 is too few"):
        drawn(labels, np.array([0, 1]), 1, 0)
