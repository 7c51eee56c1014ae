import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from histopatch.statistics.mahalanobis import RIDGE, distances, fit_bulk


@pytest.fixture
def values():
    """Values of three features on different scales, of which two are correlated."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(4000, 3)) @ [[1, 0.6, 0], [0, 1, 0], [0, 0, 1]]
    return mixed * [0.01, 1, 100] + [5, 0, -3]


def test_distances_are_those_of_scipy(values):
    found = distances(values[:50], fit_bulk(values))
    inverse = np.linalg.inv(np.cov(values.T, ddof=0))
    wanted = [mahalanobis(row, values.mean(axis=0), inverse) for row in values[:50]]
    assert np.allclose(found, wanted, rtol=2 * RIDGE)


def test_distances_of_normal_values_are_chi_distributed(values):
    found = np.quantile(distances(values, fit_bulk(values)) ** 2, [0.5, 0.9, 0.99])
    assert np.allclose(found, chi2.ppf([0.5, 0.9, 0.99], 3), rtol=0.1)


def test_units_do_not_matter(values):
    scaled = values * [1000, 0.1, 3]
    assert np.allclose(distances(values, fit_bulk(values)), distances(scaled, fit_bulk(scaled)))


def test_where_a_value_is_missing_the_distance_is_not_known(values):
    found = distances([values[0], [np.nan, 0, 0]], fit_bulk(values))
    assert np.isnan(found).tolist() == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        lambda values: np.column_stack([values[:, 0], values[:, 0], values[:, 2]]),
        lambda values: values * [1, 0, 1],
        lambda values: values[:1],
    ],
    ids=["a feature twice", "a constant one", "a single row"],
)
def test_what_does_not_vary_leaves_a_finite_distance(values, change):
    changed = change(values)
    found = distances(changed, fit_bulk(changed))
    assert np.isfinite(found).all() and found.max() < 10
