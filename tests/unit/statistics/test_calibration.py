import warnings

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics import calibration
from histopatch.statistics.proportions import wilson


@pytest.fixture
def overconfident():
    """Labels drawn from the logits, and the probabilities of a model that doubles them."""

    def make(patches: int, temperature: float = 2.0, seed: int = 0):
        generator = np.random.default_rng(seed)
        logits = generator.normal(0, 2, patches)
        labels = (generator.random(patches) < expit(logits)).astype(int)
        return labels, expit(temperature * logits)

    return make


def test_brier_by_hand():
    assert calibration.brier_score([1, 0, 1], [0.9, 0.2, 0.5]) == pytest.approx((0.01 + 0.04 + 0.25) / 3)


def test_brier_is_scikit_learns(overconfident):
    labels, probabilities = overconfident(500)
    expected = brier_score_loss(labels, probabilities)
    assert calibration.brier_score(labels, probabilities) == pytest.approx(expected)


def test_calibration_error_by_hand():
    labels = [0, 1, 1, 1, 0]
    probabilities = [0.1, 0.4, 0.5, 0.9, 0.7]
    # Two bins: three patches of 1/3 on average and two positive, two patches of 0.8 and one positive.
    expected = 3 / 5 * (2 / 3 - 1 / 3) + 2 / 5 * (0.8 - 1 / 2)
    assert calibration.expected_calibration_error(labels, probabilities, bins=2) == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_error_is_the_loop_over_bins(overconfident, bins):
    labels, probabilities = overconfident(400)
    expected = 0
    for index in range(bins):
        inside = (probabilities > index / bins) & (probabilities <= (index + 1) / bins)
        if inside.any():
            expected += abs(labels[inside].mean() - probabilities[inside].mean()) * inside.mean()
    found = calibration.expected_calibration_error(labels, probabilities, bins)
    assert found == pytest.approx(expected)


def test_there_are_15_bins_unless_told(overconfident):
    labels, probabilities = overconfident(2000)
    assert calibration.reliability_table(labels, probabilities).bin.tolist() == list(range(15))


def test_a_bin_ends_with_its_upper_bound():
    bounds = np.linspace(0, 1, 16)
    table = calibration.reliability_table(np.zeros(16), bounds)
    assert table.bin.tolist() == list(range(15))
    assert table.patches.tolist() == [2] + [1] * 14  # 0 goes with the first
    assert (table.above < table.up_to).all()
    assert table.up_to.tolist() == bounds[1:].tolist()


def test_the_table_has_the_bins_that_have_patches():
    table = calibration.reliability_table([0, 1, 1], [0.3, 0.4, 1.0], bins=2)
    assert table.bin.tolist() == [0, 1]
    first = table.iloc[0]
    assert (first.above, first.up_to, first.patches) == (0, 0.5, 2)
    assert first.mean_probability == pytest.approx(0.35)
    assert tuple(first[["positive_share", "positive_share_low", "positive_share_high"]]) == wilson(1, 2)
    assert calibration.reliability_table([1], [0.9]).bin.tolist() == [13]


def test_the_extremes_are_no_trouble():
    assert calibration.brier_score([0, 1], [0, 1]) == 0
    assert calibration.brier_score([1, 1], [0, 0]) == 1
    assert calibration.expected_calibration_error([0, 1], [0, 1]) == 0
    assert calibration.expected_calibration_error([1, 0], [0, 1]) == 1


def test_no_bin_is_one_line():
    with pytest.raises(InputError, match=r"^bins: 0 is too few"):
        calibration.reliability_table([0, 1], [0.1, 0.2], bins=0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 4.0])
def test_a_known_temperature_is_found(overconfident, temperature):
    labels, probabilities = overconfident(50_000, temperature)
    assert calibration.fit_temperature(labels, probabilities) == pytest.approx(temperature, rel=0.03)


def test_no_other_temperature_has_a_lower_log_loss(overconfident):
    labels, probabilities = overconfident(300)
    loss = minimize_scalar(
        lambda t: log_loss(labels, expit(logit(probabilities) / t)), bounds=(0.5, 9), method="bounded"
    )
    found = calibration.fit_temperature(labels, probabilities)
    assert found == pytest.approx(loss.x, rel=1e-4)
    assert found != pytest.approx(1, abs=0.5)


def test_temperature_makes_an_overconfident_model_calibrated(overconfident):
    labels, probabilities = overconfident(20_000)
    fitted = calibration.fit_temperature(labels[:10_000], probabilities[:10_000])
    fresh, before = labels[10_000:], probabilities[10_000:]
    after = calibration.apply_temperature(before, fitted)
    error = calibration.expected_calibration_error
    assert error(fresh, after) < 0.02 < 0.08 < error(fresh, before)
    assert roc_auc_score(fresh, after) == roc_auc_score(fresh, before)


@pytest.mark.parametrize("temperature", [0.5, 7.0])
def test_the_order_is_kept_to_the_ends(temperature):
    probabilities = np.array([0, 5e-324, 1e-300, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-7, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moved = calibration.apply_temperature(probabilities, temperature)
    assert (np.diff(moved) >= 0).all()
    assert (np.diff(moved[2:]) > 0).all()
    assert moved[[0, 5, -1]].tolist() == [0, 0.5, 1]


def test_certain_patches_on_the_wrong_side_have_a_temperature():
    labels, probabilities = np.tile([0, 1], 50), np.tile([0.0, 1.0], 50)
    labels[:2] = (1, 0)  # two of a hundred: 0 and 1 should be read as 2 % and 98 %
    fitted = calibration.fit_temperature(labels, probabilities)
    assert fitted == pytest.approx(logit(1 - 2.0**-24) / logit(0.98))


def test_where_no_temperature_is_best_nothing_changes():
    assert calibration.fit_temperature([0, 0, 1, 1], [0.0, 0.4, 0.6, 1.0]) == 1
    assert calibration.fit_temperature([0, 1], [0.5, 0.5]) == 1


def test_a_model_that_is_worse_than_none_is_flattened():
    labels = np.tile([0, 1], 20)
    assert calibration.fit_temperature(labels, np.tile([0.9, 0.1], 20)) == 100
    assert calibration.fit_temperature(labels, np.tile([0.6, 0.6], 20)) == 100


def test_a_model_that_is_far_too_timid_is_sharpened_to_the_end():
    labels = np.repeat([0, 1], 1000)
    probabilities = np.where(labels == 1, 0.501, 0.499)
    probabilities[0] = 0.500001
    assert calibration.fit_temperature(labels, probabilities) == 0.01


def test_temperature_needs_both_classes():
    with pytest.raises(InputError, match="all 2 are negative"):
        calibration.fit_temperature([0, 0], [0.1, 0.2])


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), float("nan")])
def test_an_impossible_temperature_is_one_line(temperature):
    with pytest.raises(InputError, match=r"^temperature: [^\n]* is not a positive number$"):
        calibration.apply_temperature([0.5], temperature)


def test_only_probabilities_have_a_temperature():
    with pytest.raises(InputError, match=r"^probabilities: 1.5 in row 1 is outside"):
        calibration.apply_temperature([0.5, 1.5], 2.0)
