import numpy as np
import pytest
from scipy import stats

from histopatch.errors import InputError
from histopatch.statistics.means import mean_by_unit


def test_independent_values_have_the_textbook_interval():
    values = np.random.default_rng(0).normal(3, 2, 40)
    found = mean_by_unit(values)
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std(ddof=1)))


def test_copies_within_a_unit_add_nothing_to_what_is_known():
    values = np.random.default_rng(0).normal(3, 2, 12)
    alone, copied = mean_by_unit(values), mean_by_unit(values.repeat(7), np.arange(12).repeat(7))
    assert copied[:3] == pytest.approx(alone[:3])
    assert mean_by_unit(values.repeat(7)).high < 0.9 * copied.high


def test_a_weighted_mean_is_a_ratio_of_sums_with_the_spread_of_its_linearisation():
    rng = np.random.default_rng(1)
    x, y = rng.random(30), rng.random(30) + 1
    units = np.arange(30) % 10
    found = mean_by_unit(x / y, units, weights=y)
    ratio = x.sum() / y.sum()
    assert found.mean == pytest.approx(ratio)
    # Cochran's variance of a ratio estimate, over the totals of the units.
    totals = [np.bincount(units, of) for of in (x, y)]
    variance = ((totals[0] - ratio * totals[1]) ** 2).sum() / 9 / 10 / totals[1].mean() ** 2
    margin = stats.t.ppf(0.975, 9) * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((ratio - margin, ratio + margin))


def test_equal_weights_are_none():
    values, units = np.random.default_rng(2).random(20), np.arange(20) % 6
    assert mean_by_unit(values, units, np.full(20, 3.0)) == pytest.approx(mean_by_unit(values, units))


def test_the_interval_covers_the_mean_as_often_as_it_says():
    """Values of a unit share half of their variance; units are of different size."""
    rng = np.random.default_rng(3)
    units = np.arange(30).repeat(rng.integers(3, 12, 30))
    hits = 0
    for _ in range(1000):
        values = rng.normal(size=30)[units] + rng.normal(size=len(units))
        found = mean_by_unit(values, units)
        hits += found.low <= 0 <= found.high
    assert 930 <= hits <= 970


def test_one_unit_has_no_interval():
    found = mean_by_unit([1.0, 2.0], [4, 4])
    assert (found.mean, found.low, found.high) == (1.5, -np.inf, np.inf)
    assert found.sd == pytest.approx(np.sqrt(0.5))


def test_a_single_value_has_no_spread():
    with pytest.raises(InputError, match=r"^values: there is only one"):
        mean_by_unit([1.0])
