import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.clinical_use import describe_abstaining, describe_calibration, describe_net_benefit
from histopatch.statistics.net_benefit import decision_curve

CALIBRATION = {
    "intercept": -0.204, "intercept_low": -0.511, "intercept_high": 0.1,
    "slope": 0.82, "slope_low": 0.6, "slope_high": 1.049,
    "ece_by_chance": 0.0102, "ece_by_chance_high": 0.0204,
}  # fmt: skip


def test_calibration_is_said_with_its_intervals_and_with_chance():
    text = describe_calibration({"ece": 0.0312, "calibration": CALIBRATION})
    assert "intercept -0.20 (-0.51 to 0.10; 0 is right on average" in text
    assert "slope 0.82 (0.60 to 1.05; 1 is right" in text
    assert "error is 0.0312; by chance alone calibrated probabilities would have 0.0102" in text
    assert "seldom more than 0.0204" in text


def test_what_is_not_known_of_calibration_is_said():
    unknown = CALIBRATION | {"slope": None, "slope_low": None, "slope_high": None, "intercept_low": None}
    text = describe_calibration({"ece": 0.0312, "calibration": unknown})
    assert (
        "slope not known, as the probabilities are all the same or separate the classes (1 is right" in text
    )
    assert "intercept -0.20 (interval not known; 0 is right" in text


@pytest.mark.parametrize(
    ("over_nobody", "over_everybody", "words"),
    [
        ([1, 1, 1, -1], [-1, 1, 1, 1], "at 2 of 4 thresholds from 0.10 to 0.40 "),
        ([1, 1, -1, 1], [1, 1, 1, 1], "(pointwise 95 %): 0.10 to 0.20 and 0.40."),
        ([1, 1, -1, -1], [-1, -1, 1, 1], "at no threshold"),
    ],
)
def test_net_benefit_counts_where_it_is_beyond_both_alternatives(over_nobody, over_everybody, words):
    curve = pd.DataFrame({"threshold": [0.1, 0.2, 0.3, 0.4]})
    curve["net_benefit_low"], curve["over_treat_all_low"] = over_nobody, over_everybody
    curve["net_benefit_high"] = 2
    assert words in describe_net_benefit(curve)


def test_slides_that_are_all_alike_show_no_benefit():
    labels = np.tile([0, 1], 6)
    curve = decision_curve(labels, 0.1 + 0.8 * labels, np.repeat(["a", "b", "c"], 4))
    assert curve.net_benefit_low.gt(0).any()
    assert "at no threshold" in describe_net_benefit(curve)


def test_abstaining_is_a_table_of_what_is_left_out_and_what_is_wrong():
    row = {
        "share": 0.1, "chosen_on": "validation patches", "reported_on": "held-out patches",
        "abstained_share": 0.124, "error": 0.031, "error_low": 0.01, "error_high": 0.062,
        "error_abstained": 0.33, "error_all": 0.07,
    }  # fmt: skip
    nothing = row | {"share": 0.3, "abstained_share": 1.0, "error": None}
    lines = describe_abstaining(pd.DataFrame([row, nothing]))
    assert "chosen on validation patches, and what comes of it is reported on held-out patches" in lines[0]
    assert "7.0 % of the calls are wrong" in lines[0]
    assert "| 10 % | 12.4 % | 3.1 % (1.0 %–6.2 %) | 33.0 % |" in lines
    assert "| 30 % | 100.0 % | none is called | 33.0 % |" in lines
