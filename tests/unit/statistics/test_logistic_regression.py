import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from histopatch.statistics.logistic_regression import maximum_likelihood, separation, standardise


@pytest.fixture
def drawn():
    """Labels, two columns that explain them, and an offset."""
    generator = np.random.default_rng(0)
    columns, offset = generator.normal(size=(400, 2)), generator.normal(size=400)
    labels = generator.random(400) < expit(0.5 + columns @ [1, -2] + offset)
    return labels, columns, offset


@pytest.mark.parametrize("with_offset", [True, False])
def test_coefficients_are_those_of_statsmodels(drawn, with_offset):
    labels, columns, offset = drawn
    design, offset = sm.add_constant(columns), offset if with_offset else np.zeros(400)
    expected = sm.GLM(labels.astype(int), design, family=sm.families.Binomial(), offset=offset).fit()
    assert maximum_likelihood(labels, design, offset) == pytest.approx(expected.params)


@pytest.mark.parametrize(("centre", "scale"), [(0, 1), (-16, 1e-6), (300, 1e-3), (0, 1e4)])
def test_a_slope_on_standardised_values_is_exact_wherever_they_are(drawn, centre, scale):
    labels, columns, _ = drawn
    design, unit = standardise(centre + scale * columns[:, 0])
    slope = maximum_likelihood(labels, design)[1] / unit
    expected = maximum_likelihood(labels, sm.add_constant(columns[:, 0]))[1]
    assert slope * scale == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "side"),
    [([1, 2, 3, 4], 1), ([1, 2, 2, 4], 1), ([4, 3, 2, 1], -1), ([1, 3, 2, 4], 0), ([2, 2, 2, 2], 1)],
)
def test_classes_that_no_value_mixes_are_separated(values, side):
    assert separation(np.array([False, False, True, True]), np.array(values)) == side
