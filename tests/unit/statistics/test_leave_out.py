import numpy as np
import pytest
from scipy.stats import t

from histopatch.statistics.leave_out import degrees_of_freedom, margin, unit_codes


def test_of_a_mean_it_is_the_textbook_interval():
    values = np.array([0.3, 0.9, 0.4, 0.8, 0.1])
    left_out = (values.sum() - values) / 4
    assert margin(left_out, 4) == pytest.approx(t.ppf(0.975, 4) * values.std(ddof=1) / np.sqrt(5))


def test_where_nothing_is_known_the_interval_is_infinite():
    assert margin(np.array([0.1, 0.2]), 0) == np.inf
    assert margin(np.array([[0.1, np.inf], [0.2, 0.3]]), 1).tolist() == [np.inf, np.inf]


def test_degrees_of_freedom_are_of_the_class_on_fewer_slides():
    labels = np.array([True, False, True, False, False, False])
    assert degrees_of_freedom(labels, np.array([0, 0, 1, 1, 2, 3])) == 1
    assert degrees_of_freedom(labels, np.array([0, 0, 0, 1, 2, 3])) == 0


def test_degrees_of_freedom_are_fewer_where_few_slides_have_most_patches():
    units = np.repeat([0, 1, 2, 3], [12, 4, 4, 4])
    labels = np.arange(len(units)) % 2 == 0
    assert degrees_of_freedom(labels, units) == pytest.approx(24**2 / (144 + 3 * 16) - 1)


def test_without_slides_each_patch_is_a_unit():
    assert unit_codes(None, 3).tolist() == [0, 1, 2]
    assert unit_codes(["b", "a", "b"], 3).tolist() == [0, 1, 0]
