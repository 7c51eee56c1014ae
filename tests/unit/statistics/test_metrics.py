import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from histopatch.errors import InputError
from histopatch.schema import read_schema
from histopatch.statistics.auroc import delong, jackknife_by_slide
from histopatch.statistics.calibration import expected_calibration_error
from histopatch.statistics.metrics import METRICS, Metric, summarise


@pytest.fixture
def patches(predictions):
    labels, scores, slides = predictions(80)
    return labels, 1 / (1 + np.exp(-scores)), slides


def test_every_metric_is_what_it_is_called(patches):
    labels, probabilities, _ = patches
    _, low, high = delong(labels, probabilities)
    assert summarise(labels, probabilities) == pytest.approx(
        {
            "patches": 80,
            "positive": labels.sum(),
            "slides": None,
            "auc": roc_auc_score(labels, probabilities),
            "auc_low": low,
            "auc_high": high,
            "auc_interval": "DeLong",
            "auc_delong_low": low,
            "auc_delong_high": high,
            "average_precision": average_precision_score(labels, probabilities),
            "log_loss": log_loss(labels, probabilities),
            "brier": brier_score_loss(labels, probabilities),
            "ece": expected_calibration_error(labels, probabilities),
        }
    )


def test_a_wrong_probability_of_0_or_1_costs_much_but_not_everything():
    labels, probabilities = [0, 1, 0, 1], [1.0, 0.0, 0.2, 1.0]
    expected = log_loss(labels, probabilities)
    assert summarise(labels, probabilities)["log_loss"] == pytest.approx(expected, rel=1e-12)


def test_where_slides_are_known_the_interval_is_theirs(patches):
    labels, probabilities, slides = patches
    found = summarise(labels, probabilities, slides)
    interval = jackknife_by_slide(labels, probabilities, slides)
    assert (found["auc_low"], found["auc_high"]) == interval[1:]
    assert (found["auc_interval"], found["slides"]) == ("slide jackknife", 7)
    without = summarise(labels, probabilities)
    theirs = ("slides", "auc_low", "auc_high", "auc_interval")
    assert {k: v for k, v in found.items() if k not in theirs} == {
        k: v for k, v in without.items() if k not in theirs
    }


def test_where_one_slide_has_all_positives_the_method_says_that_nothing_can_be_said():
    found = summarise([1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.1, 0.2, 0.3, 0.4], list("aabbcc"))
    assert (found["auc_low"], found["auc_high"]) == (0, 1)
    assert found["auc_interval"].startswith("nothing can be said: fewer than two slides with positives")


def test_of_one_slide_nothing_can_be_said(patches):
    labels, probabilities, _ = patches
    found = summarise(labels, probabilities, ["a"] * 80)
    assert (found["auc_low"], found["auc_high"], found["slides"]) == (0, 1, 1)
    assert found["auc_interval"].startswith("nothing can be said: fewer than two slides with positives")


def test_what_is_found_can_be_kept(patches):
    for found in (summarise(*patches), summarise([0, 1], [0, 1]), summarise([0, 0, 1], [1, 0.5, 0.0])):
        assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [([1, 1], [0.5, 0.5], "all 2 are positive"), ([0, 1], [0.5, 1.5], "1.5 in row 1 is outside")],
)
def test_what_cannot_be_summarised_is_one_line(labels, probabilities, message):
    with pytest.raises(InputError, match=message):
        summarise(labels, probabilities)


def test_the_schema_lists_every_metric_that_can_choose_the_final_model():
    final = read_schema()["$defs"]["final"]["properties"]["metric"]
    assert final["enum"] == [f"val_{name}" for name, metric in METRICS.items() if metric.criterion]


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_model_is_best_in_the_metrics_direction(patches, name):
    labels, probabilities, _ = patches
    metric = METRICS[name]
    perfect, model = metric.compute(labels, labels), metric.compute(labels, probabilities)
    assert (perfect > model) == metric.higher_is_better
    assert perfect != model


def test_a_metric_that_is_added_is_summarised(patches, monkeypatch):
    accuracy = Metric(lambda y, p: float(np.mean((p > 0.5) == y)), "accuracy", "val_accuracy", True)
    monkeypatch.setitem(METRICS, "accuracy", accuracy)
    labels, probabilities, _ = patches
    expected = np.mean((probabilities > 0.5) == (labels == 1))
    assert summarise(labels, probabilities)["accuracy"] == expected
