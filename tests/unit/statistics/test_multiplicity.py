import numpy as np
import pytest
from scipy.stats import norm, studentized_range, t

from histopatch.statistics.multiplicity import max_t

PAIRS = np.array([[1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1], [0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]])


@pytest.mark.parametrize("degrees", [5, 30])
def test_all_pairs_of_independent_means_are_tukeys(degrees):
    found = max_t(np.array([2.5, 0, 1, 3, 4, 1]), PAIRS / np.sqrt(2), degrees)
    tukey = studentized_range(4, degrees)
    assert found.critical == pytest.approx(tukey.ppf(0.95) / np.sqrt(2), rel=0.02)
    assert found.p_values[0] == pytest.approx(tukey.sf(2.5 * np.sqrt(2)), abs=0.01)


def test_independent_estimates_are_sidaks():
    found = max_t(np.array([2.0, -2.5, 0]), np.eye(3), 1e6)
    assert found.critical == pytest.approx(norm.ppf((1 + 0.95 ** (1 / 3)) / 2), abs=0.03)
    assert found.p_values[1] == pytest.approx(1 - (1 - 2 * norm.sf(2.5)) ** 3, abs=0.005)


def test_an_estimate_alone_is_exact_and_its_mirror_costs_nothing():
    alone = max_t(np.array([2.0]), np.ones((1, 1)), 9)
    assert alone.critical == pytest.approx(t(9).ppf(0.975))
    assert alone.p_values == pytest.approx([2 * t(9).sf(2)])
    both = max_t(np.array([2.0, -2.0]), np.array([[1.0], [-1.0]]), 9)
    assert both.critical == pytest.approx(alone.critical)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_critical_value_and_the_p_values_agree(level):
    ratios = np.linspace(0, 5, 300)
    found = max_t(ratios, np.eye(300)[:, :20] + 1e-9, 12, level)
    assert ((found.p_values <= 1 - level + 1e-12) == (ratios > found.critical)).all()


def test_no_estimate_has_no_p_value():
    assert max_t(np.array([]), np.empty((0, 2)), 5).p_values.tolist() == []
