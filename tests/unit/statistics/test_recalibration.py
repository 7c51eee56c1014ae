import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics.calibration import calibration_error_by_chance, expected_calibration_error
from histopatch.statistics.logits import CLIP
from histopatch.statistics.recalibration import Recalibration, fit_recalibration, recalibrate
from histopatch.statistics.weak_calibration import weak_calibration


@pytest.fixture
def weighted():
    """Labels, and probabilities of a model whose loss counted positives nine times."""

    def make(patches: int, overconfidence: float = 1.0, seed: int = 0):
        generator = np.random.default_rng(seed)
        logits = generator.normal(-0.5, 2, patches)
        labels = (generator.random(patches) < expit(logits)).astype(int)
        return labels, expit(overconfidence * (logits + np.log(9)))

    return make


@pytest.mark.parametrize("overconfidence", [1.0, 2.0, 0.5])
def test_the_weight_of_the_positives_is_undone(weighted, overconfidence):
    labels, probabilities = weighted(20_000, overconfidence)
    fitted = fit_recalibration(labels[:10_000], probabilities[:10_000])
    assert fitted.intercept == pytest.approx(-np.log(9), abs=0.1)
    assert fitted.slope == pytest.approx(1 / overconfidence, rel=0.05)
    fresh, before = labels[10_000:], probabilities[10_000:]
    after = recalibrate(before, fitted)
    temperature = minimize_scalar(
        lambda t: log_loss(labels[:10_000], expit(logit(probabilities[:10_000]) / t)),
        bounds=(0.1, 50), method="bounded",
    ).x  # fmt: skip
    for without_intercept in (before, expit(logit(before) / temperature)):
        assert expected_calibration_error(fresh, without_intercept) > 0.2
    assert expected_calibration_error(fresh, after) < calibration_error_by_chance(after).high
    assert roc_auc_score(fresh, after) == roc_auc_score(fresh, before)


@pytest.mark.parametrize("patches", [60, 300, 5000])
def test_intercept_and_slope_are_those_of_scikit_learn_and_of_statsmodels(weighted, patches):
    labels, probabilities = weighted(patches, overconfidence=1.5)
    logits = logit(probabilities)
    unpenalised = LogisticRegression(C=np.inf, tol=1e-10).fit(logits[:, None], labels)
    assert fit_recalibration(labels, probabilities) == pytest.approx(
        (unpenalised.intercept_[0], unpenalised.coef_[0, 0]), rel=1e-4
    )
    of = sm.GLM(labels, sm.add_constant(logits), family=sm.families.Binomial()).fit()
    assert fit_recalibration(labels, probabilities) == pytest.approx(of.params)


def test_what_is_recalibrated_has_intercept_0_and_slope_1(overconfident):
    labels, probabilities = overconfident(500)
    after = recalibrate(probabilities, fit_recalibration(labels, probabilities))
    found = weak_calibration(labels, after)
    assert (found.intercept.value, found.slope.value) == pytest.approx((0, 1), abs=1e-6)
    assert fit_recalibration(labels, after) == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.parametrize("slope", [1 / 7, 2.0])
def test_the_order_is_kept_to_the_ends(slope):
    probabilities = np.array([0, 5e-324, 1e-300, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-7, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moved = recalibrate(probabilities, Recalibration(-2.0, slope))
    assert (np.diff(moved) >= 0).all()
    assert (np.diff(moved[2:]) > 0).all()
    assert moved[[0, -1]].tolist() == [0, 1]
    assert moved[5] == pytest.approx(expit(-2))


@pytest.mark.parametrize("seed", range(20))
def test_no_ranking_changes_however_small_the_sample_or_steep_the_slope(seed):
    """Of a model that is nearly perfect the slope of the highest likelihood may be any."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, 100)
    logits = 0.4 * generator.normal(12 * labels - 6, 1)
    labels[np.argsort(np.abs(logits))[:2]] = 0, 1
    probabilities = expit(logits).astype(np.float32)
    after = recalibrate(probabilities, fit_recalibration(labels, probabilities))
    assert roc_auc_score(labels, after) == roc_auc_score(labels, probabilities)
    assert len(np.unique(after)) == len(np.unique(probabilities))


def test_equal_probabilities_stay_equal(overconfident):
    labels, probabilities = overconfident(300)
    tied = probabilities.round(1)
    after = recalibrate(tied, fit_recalibration(labels, tied))
    assert len(np.unique(after)) == len(np.unique(tied))


def test_certain_patches_on_the_wrong_side_have_a_recalibration():
    labels, probabilities = np.tile([0, 1], 50), np.tile([0.0, 1.0], 50)
    labels[:2] = (1, 0)  # two of a hundred: 0 and 1 should be read as 2 % and 98 %
    assert fit_recalibration(labels, probabilities) == pytest.approx((0, logit(0.98) / logit(1 - CLIP)))


def test_where_no_slope_is_the_best_probabilities_are_right_on_average_only():
    for probabilities in ([0.1, 0.2, 0.3, 0.9], [0.0, 0.4, 0.4, 1.0], [0.8, 0.8, 0.8, 0.8]):
        found = fit_recalibration([0, 0, 0, 1], probabilities)
        assert found.slope == 1
        assert np.mean(recalibrate(np.clip(probabilities, CLIP, 1 - CLIP), found)) == pytest.approx(1 / 4)


@pytest.mark.parametrize("probabilities", [[0.9, 0.1], [0.9, 0.6, 0.5, 0.8], [1.0, 0.0]])
def test_a_model_that_ranks_backwards_is_flattened_to_the_share_of_positives(probabilities):
    labels = np.tile([0, 1], 20 * len(probabilities) // 2)
    probabilities = np.tile(probabilities, 20)
    found = fit_recalibration(labels, probabilities)
    assert found.flattens
    assert found.slope == 0.01
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    assert recalibrate(clipped, found) == pytest.approx(0.5, abs=0.1)


def test_a_model_that_is_far_too_timid_is_sharpened_to_the_end():
    labels = np.repeat([0, 1], 1000)
    probabilities = np.where(labels == 1, 0.501, 0.499)
    probabilities[[0, -1]] = 0.501, 0.499  # so that the classes are not separated
    assert fit_recalibration(labels, probabilities).slope == 100


@pytest.mark.parametrize("spread", [1e-6, 0.05])
def test_within_its_limits_the_slope_has_the_lowest_log_loss(spread):
    """Of probabilities that hardly differ from a small one, too."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 2, 300)
    logits = -9 + spread * generator.normal(labels - 0.5)
    found = fit_recalibration(labels, expit(logits))
    centred = logits - logits.mean()
    loss = minimize(
        lambda x: log_loss(labels, expit(x[0] + x[1] * centred)), (0, 1),
        bounds=[(None, None), (0.01, 100)], method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    assert found.slope == pytest.approx(loss.x[1], rel=1e-3)
    assert log_loss(labels, recalibrate(expit(logits), found)) == pytest.approx(loss.fun, abs=1e-8)


def test_recalibration_needs_both_classes():
    with pytest.raises(InputError, match="all 2 are negative"):
        fit_recalibration([0, 0], [0.1, 0.2])


@pytest.mark.parametrize(
    "impossible", [(0.0, 0.0), (0.0, -1.0), (0.0, np.inf), (0.0, np.nan), (np.nan, 1.0), (-np.inf, 1.0)]
)
def test_an_impossible_recalibration_is_one_line(impossible):
    with pytest.raises(InputError, match=r"^recalibration: [^\n]* must be finite, and the slope positive$"):
        recalibrate([0.5], Recalibration(*impossible))


def test_only_probabilities_are_recalibrated():
    with pytest.raises(InputError, match=r"^probabilities: 1.5 in row 1 is outside"):
        recalibrate([0.5, 1.5], Recalibration(0.0, 2.0))
