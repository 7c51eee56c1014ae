import pytest

from histopatch.errors import InputError
from histopatch.statistics.proportions import predictive_values, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((successes / trials, low, high), abs=5e-5)


@pytest.mark.parametrize("level", [0.9, 0.99])
@pytest.mark.parametrize(("successes", "trials"), [(1, 2), (7, 10), (950, 1000)])
def test_a_bound_is_where_the_score_test_just_rejects(successes, trials, level):
    share, *bounds = wilson(successes, trials, level)
    quantile = {0.9: 1.6448536, 0.99: 2.5758293}[level]
    for bound in bounds:
        assert abs(share - bound) / (bound * (1 - bound) / trials) ** 0.5 == pytest.approx(quantile)


def test_the_ends_are_exact_at_any_size():
    for trials in range(1, 200):
        assert wilson(0, trials)[:2] == (0, 0)
        assert wilson(trials, trials)[::2] == (1, 1)
        assert wilson(0, trials).high == pytest.approx(1 - wilson(trials, trials).low)


def test_of_nothing_everything_is_open():
    assert wilson(0, 0) == (None, 0, 1)


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 2), (0, -1)])
def test_impossible_counts_are_one_line(successes, trials):
    with pytest.raises(InputError, match=r"^successes: [^\n]* is impossible$"):
        wilson(successes, trials)


def test_predictive_values_are_those_of_a_counted_crowd():
    # Of 1,000 patches 100 are positive; 90 of them and 45 of the 900 others are called positive.
    assert predictive_values(0.9, 0.95, 0.1) == pytest.approx((90 / 135, 855 / 865))


def test_predictive_values_at_their_own_prevalence_are_the_observed_ones():
    # 40 true and 7 false positives, 120 true and 9 false negatives.
    found = predictive_values(40 / 49, 120 / 127, 49 / 176)
    assert found == pytest.approx((40 / 47, 120 / 129))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0, 1, 0.3), (None, 0.7)),  # nothing is called positive
        ((1, 0, 0.3), (0.3, None)),  # everything is
        ((0.9, 0.9, 0), (0, 1)),
        ((0.9, 0.9, 1), (1, 0)),
        ((None, 0.9, 0.5), (None, None)),
        ((0.9, None, 0.5), (None, None)),
    ],
)
def test_predictive_values_at_the_extremes(arguments, expected):
    assert predictive_values(*arguments) == pytest.approx(expected)


@pytest.mark.parametrize("prevalence", [-0.1, 1.1, float("nan")])
def test_an_impossible_prevalence_is_one_line(prevalence):
    with pytest.raises(InputError, match=r"^prevalence: [^\n]* is outside \[0, 1\]$"):
        predictive_values(0.9, 0.9, prevalence)
