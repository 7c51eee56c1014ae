import warnings

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics.calibration import expected_calibration_error
from histopatch.statistics.temperature import apply_temperature, fit_temperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 4.0])
def test_a_known_temperature_is_found(overconfident, temperature):
    labels, probabilities = overconfident(50_000, temperature)
    assert fit_temperature(labels, probabilities) == pytest.approx(temperature, rel=0.03)


def test_no_other_temperature_has_a_lower_log_loss(overconfident):
    labels, probabilities = overconfident(300)
    loss = minimize_scalar(
        lambda t: log_loss(labels, expit(logit(probabilities) / t)), bounds=(0.5, 9), method="bounded"
    )
    found = fit_temperature(labels, probabilities)
    assert found == pytest.approx(loss.x, rel=1e-4)
    assert found != pytest.approx(1, abs=0.5)


def test_temperature_makes_an_overconfident_model_calibrated(overconfident):
    labels, probabilities = overconfident(20_000)
    fitted = fit_temperature(labels[:10_000], probabilities[:10_000])
    fresh, before = labels[10_000:], probabilities[10_000:]
    after = apply_temperature(before, fitted)
    error = expected_calibration_error
    assert error(fresh, after) < 0.02 < 0.08 < error(fresh, before)
    assert roc_auc_score(fresh, after) == roc_auc_score(fresh, before)


@pytest.mark.parametrize("temperature", [0.5, 7.0])
def test_the_order_is_kept_to_the_ends(temperature):
    probabilities = np.array([0, 5e-324, 1e-300, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-7, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moved = apply_temperature(probabilities, temperature)
    assert (np.diff(moved) >= 0).all()
    assert (np.diff(moved[2:]) > 0).all()
    assert moved[[0, 5, -1]].tolist() == [0, 0.5, 1]


def test_certain_patches_on_the_wrong_side_have_a_temperature():
    labels, probabilities = np.tile([0, 1], 50), np.tile([0.0, 1.0], 50)
    labels[:2] = (1, 0)  # two of a hundred: 0 and 1 should be read as 2 % and 98 %
    fitted = fit_temperature(labels, probabilities)
    assert fitted == pytest.approx(logit(1 - 2.0**-24) / logit(0.98))


def test_where_no_temperature_is_best_nothing_changes():
    assert fit_temperature([0, 0, 1, 1], [0.0, 0.4, 0.6, 1.0]) == 1
    assert fit_temperature([0, 1], [0.5, 0.5]) == 1


def test_a_model_that_is_worse_than_none_is_flattened():
    labels = np.tile([0, 1], 20)
    assert fit_temperature(labels, np.tile([0.9, 0.1], 20)) == 100
    assert fit_temperature(labels, np.tile([0.6, 0.6], 20)) == 100


def test_a_model_that_is_far_too_timid_is_sharpened_to_the_end():
    labels = np.repeat([0, 1], 1000)
    probabilities = np.where(labels == 1, 0.501, 0.499)
    probabilities[0] = 0.500001
    assert fit_temperature(labels, probabilities) == 0.01


def test_temperature_needs_both_classes():
    with pytest.raises(InputError, match="all 2 are negative"):
        fit_temperature([0, 0], [0.1, 0.2])


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), float("nan")])
def test_an_impossible_temperature_is_one_line(temperature):
    with pytest.raises(InputError, match=r"^temperature: [^\n]* is not a positive number$"):
        apply_temperature([0.5], temperature)


def test_only_probabilities_have_a_temperature():
    with pytest.raises(InputError, match=r"^probabilities: 1.5 in row 1 is outside"):
        apply_temperature([0.5, 1.5], 2.0)
