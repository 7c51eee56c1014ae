import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from histopatch.errors import InputError
from histopatch.statistics.logits import CLIP
from histopatch.statistics.weak_calibration import weak_calibration


def draw(slides: int, patches: int, seed: int, intercept=0.3, slope=0.7, spread=0.5):
    """Labels, probabilities that are off, and slides that share a part of what the model does not know."""
    generator = np.random.default_rng(seed)
    of = np.repeat(np.arange(slides), patches)
    logits = generator.normal(generator.normal(0, 1, slides)[of], 1.5)
    chance = expit(intercept + slope * logits + generator.normal(0, spread, slides)[of])
    return (generator.random(len(of)) < chance).astype(int), expit(logits), of


def reference(labels, probabilities):
    """Intercept with the logits as an offset, and slope, by statsmodels."""
    logits = logit(probabilities)
    of = sm.families.Binomial()
    intercept = sm.GLM(labels, np.ones(len(labels)), family=of, offset=logits).fit()
    return intercept.params[0], sm.GLM(labels, sm.add_constant(logits), family=of).fit().params[1]


@pytest.mark.parametrize("seed", range(3))
def test_intercept_and_slope_are_those_of_statsmodels(seed):
    labels, probabilities, slides = draw(30, 40, seed)
    found = weak_calibration(labels, probabilities, slides)
    assert (found.intercept.value, found.slope.value) == pytest.approx(reference(labels, probabilities))


def test_intervals_are_near_the_jackknife_that_fits_again_without_each_slide():
    labels, probabilities, slides = draw(30, 40, seed=1)
    left_out = [reference(labels[slides != s], probabilities[slides != s]) for s in range(30)]
    errors = np.sqrt(29 / 30 * np.square(left_out - np.mean(left_out, axis=0)).sum(axis=0))
    for coefficient, error in zip(weak_calibration(labels, probabilities, slides), errors, strict=True):
        assert (coefficient.high - coefficient.low) / 2 == pytest.approx(2.0452 * error, rel=0.05)


def test_by_patch_the_interval_is_the_robust_one_of_statsmodels():
    labels, probabilities, _ = draw(30, 40, seed=2)
    model = sm.GLM(labels, sm.add_constant(logit(probabilities)), family=sm.families.Binomial())
    low, high = model.fit(cov_type="HC1").conf_int()[1]
    slope = weak_calibration(labels, probabilities).slope
    assert (slope.low, slope.high) == pytest.approx((low, high), abs=0.01)


def test_the_intervals_cover_what_is_true_of_all_slides():
    truth = reference(*draw(4000, 40, seed=0)[:2])
    covered = np.zeros(2)
    for seed in range(1, 121):
        found = weak_calibration(*draw(10, 40, seed))
        covered += [part.low <= true <= part.high for part, true in zip(found, truth, strict=True)]
    assert (covered / 120 >= 0.9).all()  # 95 % less two standard errors of the simulation


def test_one_slide_of_a_class_says_nothing():
    found = weak_calibration([0, 1, 0, 1, 0, 0], [0.1, 0.6, 0.7, 0.3, 0.2, 0.4], [1, 1, 1, 1, 2, 2])
    assert all((part.low, part.high) == (-np.inf, np.inf) and np.isfinite(part.value) for part in found)


def test_separated_classes_have_no_slope_that_is_steep_enough():
    found = weak_calibration([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]).slope
    assert tuple(found) == (np.inf, -np.inf, np.inf)
    assert weak_calibration([1, 1, 0, 0], [0.1, 0.2, 0.6, 0.9]).slope.value == -np.inf
    assert np.isnan(weak_calibration([0, 1, 1, 0], [0.5] * 4).slope.value)


@pytest.mark.parametrize("spread", [1e-8, 1e-5])
def test_of_probabilities_that_hardly_differ_the_slope_is_found(spread):
    """As of a network that has collapsed to a small probability."""
    labels, probabilities, slides = draw(30, 40, seed=3)
    spread_out = weak_calibration(labels, probabilities, slides).slope
    found = weak_calibration(labels, expit(-9 + spread * logit(probabilities)), slides).slope
    assert np.array(found) * spread == pytest.approx(np.array(spread_out), rel=1e-4)


def test_probabilities_of_0_and_1_are_clipped():
    found = weak_calibration([0, 1, 1, 0, 1, 0], [0.0, 1.0, 0.3, 0.6, 0.8, 1.0])
    assert np.isfinite([found.intercept.value, found.slope.value]).all()


@pytest.mark.parametrize("count", [4, 9, 30, 200])
def test_of_calls_without_a_probability_the_slope_is_in_closed_form(count):
    """With 0 and 1 alone it is the log odds ratio over the distance of the two clipped logits."""
    for seed in range(50):
        generator = np.random.default_rng(seed)
        labels, calls = generator.integers(0, 2, (2, count))
        labels[:4], calls[:4] = [0, 0, 1, 1], [0, 1, 0, 1]  # so that the odds ratio is finite
        table = np.array([[np.sum((labels == a) & (calls == b)) for b in (0, 1)] for a in (0, 1)])
        odds_ratio = table[1, 1] * table[0, 0] / table[0, 1] / table[1, 0]
        found = weak_calibration(labels, calls.astype(float))
        assert found.slope.value == pytest.approx(np.log(odds_ratio) / (2 * logit(1 - CLIP)), abs=1e-6)
        assert np.isfinite(found.intercept.value)


def test_an_intercept_far_away_is_found():
    """Three of four patches called 0 are positive, so the logit of 0 has to become log 3."""
    found = weak_calibration([1, 1, 1, 1, 1, 0], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert found.intercept.value == pytest.approx(logit(1 - CLIP) + np.log(3), abs=1e-6)
    # And where the model is mostly wrong, with a patch of each call.
    assert np.isfinite(weak_calibration([1, 1, 1, 1, 1, 0], [1.0, 0, 0, 0, 0, 1.0]).intercept.value)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="all 2 are positive"):
        weak_calibration([1, 1], [0.2, 0.3])
