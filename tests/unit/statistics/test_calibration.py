import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from histopatch.errors import InputError
from histopatch.statistics import calibration
from histopatch.statistics.proportions import wilson


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


def test_by_chance_the_error_is_that_of_labels_drawn_from_the_probabilities():
    generator = np.random.default_rng(5)
    probabilities = generator.beta(0.4, 0.6, 300)
    errors = [
        calibration.expected_calibration_error(generator.random(300) < probabilities, probabilities)
        for _ in range(400)
    ]
    found = calibration.calibration_error_by_chance(probabilities)
    assert found.mean == pytest.approx(np.mean(errors), rel=0.03)
    assert found.high == pytest.approx(np.quantile(errors, 0.95), rel=0.06)


def test_by_chance_the_error_of_one_probability_is_known():
    # 100 patches of one half: the mean distance of a binomial share from 1/2 is C(100, 50) / 2^101.
    found = calibration.calibration_error_by_chance(np.full(100, 0.5), draws=20_000)
    assert found.mean == pytest.approx(math.comb(100, 50) / 2**101, rel=0.02)


def test_a_calibrated_model_exceeds_what_chance_gives_in_one_of_twenty():
    generator = np.random.default_rng(6)
    probabilities = generator.beta(0.4, 0.6, 200)
    high = calibration.calibration_error_by_chance(probabilities).high
    above = [
        calibration.expected_calibration_error(generator.random(200) < probabilities, probabilities) > high
        for _ in range(400)
    ]
    assert 0.02 < np.mean(above) < 0.09
