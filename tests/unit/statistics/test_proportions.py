import numpy as np
import pytest
from scipy.stats import beta, binomtest, norm, t

from histopatch.errors import InputError
from histopatch.statistics.proportions import korn_graubard, predictive_values, wilson


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


def test_slides_that_are_patches_give_clopper_and_pearsons_interval():
    """But for the degrees of freedom, which hardly count among 400 slides."""
    hits = np.arange(400) < 60
    found = korn_graubard(hits, np.ones(400, bool), np.arange(400))
    assert found == pytest.approx((0.15, *binomtest(60, 400).proportion_ci(method="exact")), abs=0.002)


def test_slides_of_copies_count_as_slides():
    hits = np.repeat(np.arange(20) < 6, 50)
    found = korn_graubard(hits, np.ones(1000, bool), np.repeat(np.arange(20), 50))
    scaled = 20 * 19 / 20 * (norm.ppf(0.975) / t(19).ppf(0.975)) ** 2  # V = p (1 - p) / 19
    expected = (
        beta.ppf(0.025, 0.3 * scaled, 0.7 * scaled + 1),
        beta.ppf(0.975, 0.3 * scaled + 1, 0.7 * scaled),
    )
    assert found[1:] == pytest.approx(expected)


def test_trials_on_one_slide_leave_everything_open():
    hits, slides = np.array([True, False, True]), ["a", "a", "b"]
    assert korn_graubard(hits, [True, True, False], slides) == (0.5, 0, 1)
    assert korn_graubard(hits, [False] * 3, slides) == (None, 0, 1)


def test_the_interval_by_slide_covers_where_wilsons_does_not():
    generator = np.random.default_rng(0)
    slides, covered = np.repeat(np.arange(12), 20), np.zeros(2)
    for _ in range(400):
        # A share of 0.9 with an intra-slide correlation of 0.2.
        hits = generator.random(240) < generator.beta(0.9 * 4, 0.1 * 4, 12)[slides]
        intervals = korn_graubard(hits, np.ones(240, bool), slides), wilson(hits.sum(), 240)
        covered += [interval.low <= 0.9 <= interval.high for interval in intervals]
    assert covered[0] >= 0.92 * 400
    assert covered[1] < 0.8 * 400
