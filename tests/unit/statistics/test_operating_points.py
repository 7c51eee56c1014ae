import json

import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics.operating_points import at_threshold, choose_thresholds
from histopatch.statistics.proportions import predictive_values, wilson


def rates(labels, probabilities, threshold):
    called = probabilities >= threshold
    return called[labels == 1].mean(), (~called[labels == 0]).mean()


@pytest.mark.parametrize("decimals", [1, 2, 9])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(predictions, decimals, seed):
    labels, scores, _ = predictions(150, decimals=decimals, seed=seed)
    probabilities = np.round(1 / (1 + np.exp(-scores)), decimals)
    chosen = choose_thresholds(labels, probabilities)
    reached = {name: rates(labels, probabilities, threshold) for name, threshold in chosen.items()}
    every = [rates(labels, probabilities, threshold) for threshold in [*probabilities, 1.1]]
    assert reached["sensitivity_95"][0] >= 0.95
    assert reached["sensitivity_95"][1] == max(spec for sens, spec in every if sens >= 0.95)
    assert reached["specificity_95"][1] >= 0.95
    assert reached["specificity_95"][0] == max(sens for sens, spec in every if spec >= 0.95)
    assert sum(reached["youden"]) == pytest.approx(max(map(sum, every)))


def test_thresholds_by_hand():
    labels = [1, 1, 0, 1, 0, 0]
    probabilities = [0.9, 0.8, 0.7, 0.6, 0.3, 0.1]
    # Down to 0.8 two of three positives and no negative are called; down to 0.6 all and one.
    assert choose_thresholds(labels, probabilities) == {
        "sensitivity_95": 0.6,
        "specificity_95": 0.8,
        "youden": 0.6,
    }


def test_exactly_95_percent_is_enough():
    labels = np.repeat([1, 0], 20)
    probabilities = np.concatenate([np.linspace(0.99, 0.80, 20), np.linspace(0.79, 0.60, 20)])
    probabilities[19], probabilities[20] = 0.1, 0.9999  # one positive in twenty and one negative astray
    chosen = choose_thresholds(labels, probabilities)
    assert rates(labels, probabilities, chosen["sensitivity_95"]) == (0.95, 0.95)
    assert rates(labels, probabilities, chosen["specificity_95"]) == (0.95, 0.95)


@pytest.mark.parametrize("highest", [1.0, 0.7])
def test_where_no_patch_may_be_called_the_threshold_is_above_all(highest):
    chosen = choose_thresholds([0, 1, 1], [highest, 0.5, 0.4])
    assert highest < chosen["specificity_95"] < highest + 1e-9
    assert chosen["sensitivity_95"] == 0.4
    assert at_threshold([0, 1], [1.0, 0.7], chosen["specificity_95"], [])["true_positives"] == 0


def test_equal_probabilities_are_called_together():
    chosen = choose_thresholds([0, 1, 0, 1], [0.5] * 4)
    assert chosen["sensitivity_95"] == 0.5
    assert chosen["specificity_95"] > 0.5
    assert chosen["youden"] == 0.5  # as bad as any other, so the one that misses nothing


def test_thresholds_need_both_classes():
    with pytest.raises(InputError, match="all 2 are positive"):
        choose_thresholds([1, 1], [0.1, 0.2])


def test_a_threshold_is_judged_by_hand():
    labels = [1] * 5 + [0] * 10
    probabilities = [0.9, 0.9, 0.9, 0.5, 0.1] + [0.6] * 2 + [0.2] * 8
    found = at_threshold(labels, probabilities, 0.5, [0.01, 0.5])
    assert [found[name] for name in ("true_positives", "false_positives")] == [4, 2]
    assert [found[name] for name in ("true_negatives", "false_negatives")] == [8, 1]
    counts = {"sensitivity": (4, 5), "specificity": (8, 10), "ppv": (4, 6), "npv": (8, 9)}
    for name, share in counts.items():
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == wilson(*share)
    for row, prevalence in zip(found["at_prevalence"], (0.01, 0.5), strict=True):
        assert row["prevalence"] == prevalence
        assert (row["ppv"], row["npv"]) == predictive_values(0.8, 0.8, prevalence)
        for bound in ("low", "high"):
            bounds = found[f"sensitivity_{bound}"], found[f"specificity_{bound}"]
            assert (row[f"ppv_{bound}"], row[f"npv_{bound}"]) == predictive_values(*bounds, prevalence)
    assert found["threshold"] == 0.5


def test_one_class_and_no_call_are_open_questions():
    found = at_threshold([1, 1], [0.2, 0.3], 0.5, [0.1])
    assert (found["specificity"], found["specificity_low"], found["specificity_high"]) == (None, 0, 1)
    assert (found["ppv"], found["sensitivity"]) == (None, 0)
    (elsewhere,) = found["at_prevalence"]
    assert (elsewhere["ppv"], elsewhere["ppv_low"], elsewhere["ppv_high"]) == (None, 0, 1)


def test_what_is_found_can_be_kept(predictions):
    labels, scores, _ = predictions(30)
    found = at_threshold(labels, np.clip(scores, 0, 1), np.float32(0.5), np.array([0.1]))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_is_a_number(threshold):
    with pytest.raises(InputError, match=r"^threshold: \w+ is not a finite number$"):
        at_threshold([0, 1], [0.1, 0.2], threshold, [])


def test_where_slides_are_known_the_rates_are_theirs():
    """Ten false positives on one slide of eight say less than ten on as many slides."""
    labels, slides = np.tile([0, 1], 80), np.repeat(np.arange(8), 20)
    together, apart = np.where(labels, 0.9, 0.1), np.where(labels, 0.9, 0.1)
    together[:20] = 0.9
    apart[np.arange(0, 160, 16)] = 0.9
    one, many, by_patch = (
        at_threshold(labels, together, 0.5, [0.01], slides),
        at_threshold(labels, apart, 0.5, [0.01], slides),
        at_threshold(labels, together, 0.5, [0.01]),
    )
    assert one["specificity"] == many["specificity"] == by_patch["specificity"] == 0.875
    assert one["specificity_low"] < by_patch["specificity_low"] - 0.1
    assert one["specificity_low"] < many["specificity_low"]


def test_no_false_positive_is_not_a_ppv_of_one_elsewhere():
    labels = np.repeat([0, 1], [182, 83])
    (elsewhere,) = at_threshold(labels, np.where(labels, 0.9, 0.1), 0.5, [0.01])["at_prevalence"]
    assert elsewhere["ppv"] == 1
    assert 0.25 < elsewhere["ppv_low"] < 0.4
