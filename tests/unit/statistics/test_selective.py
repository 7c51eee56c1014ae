import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics.selective import at_confidence, choose_confidences, risk_coverage

LABELS = [1, 0, 0, 1, 1]
PROBABILITIES = [0.95, 0.1, 0.8, 0.4, 0.55]  # wrong: the third and the fourth


def test_risk_and_coverage_by_hand():
    table = risk_coverage(LABELS, PROBABILITIES)
    assert table.coverage.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert table.error.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2, 2 / 5])
    assert table.confidence.tolist() == pytest.approx([0.45, 0.4, 0.3, 0.1, 0.05])


def test_patches_of_the_same_confidence_are_called_together():
    table = risk_coverage([1, 1, 0], [0.75, 0.25, 0.625])
    assert table.coverage.tolist() == pytest.approx([2 / 3, 1])
    assert table.error.tolist() == pytest.approx([1 / 2, 2 / 3])


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    probabilities = np.random.default_rng(0).random(5000)
    table = risk_coverage(np.arange(5000) % 2, probabilities, points=50)
    assert len(table) == 50
    assert (table.coverage.iloc[0], table.coverage.iloc[-1]) == (1 / 5000, 1)


def test_the_model_abstains_on_the_share_that_is_asked_for():
    probabilities = np.random.default_rng(1).random(1000)
    for share, threshold in choose_confidences(probabilities, [0, 0.05, 0.3]).items():
        assert at_confidence(np.arange(1000) % 2, probabilities, threshold)["abstained_share"] == share


def test_ties_are_called_so_that_no_more_than_the_share_abstains():
    (threshold,) = choose_confidences([0.5, 0.6, 0.6, 0.6, 0.9], [0.4]).values()
    assert at_confidence([0, 1, 1, 1, 1], [0.5, 0.6, 0.6, 0.6, 0.9], threshold)["abstained"] == 1


def test_what_abstaining_achieves_by_hand():
    found = at_confidence(LABELS, PROBABILITIES, 0.2)
    assert (found["called"], found["abstained"], found["abstained_share"]) == (3, 2, 0.4)
    assert found["error"] == pytest.approx(1 / 3)
    assert found["error_low"] < 1 / 3 < found["error_high"]
    assert (found["error_abstained"], found["error_all"]) == (0.5, 0.4)


def test_without_patches_there_is_no_error():
    assert at_confidence(LABELS, PROBABILITIES, 0.49)["error"] is None
    assert at_confidence(LABELS, PROBABILITIES, 0)["error_abstained"] is None


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(InputError, match="shares: "):
        choose_confidences(PROBABILITIES, [share])


def test_a_confidence_may_be_around_another_threshold_than_one_half():
    probabilities = [0.1, 0.2, 0.24, 0.5]
    (margin,) = choose_confidences(probabilities, [0.5], call=0.25).values()
    assert margin == pytest.approx(0.15)  # 0.2 and 0.24 are nearer
