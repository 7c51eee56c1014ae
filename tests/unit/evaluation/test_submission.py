import numpy as np
import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.submission import write_submission
from histopatch.statistics.recalibration import Recalibration

PREDICTIONS = ["007,0.25", "b,1.0", "a,0.0"]


@pytest.fixture
def submission(tmp_path, csv):
    """Write a submission for pairs of an id and its image."""

    def write(predictions=PREDICTIONS, ids=("007,007", "a,a", "b,b"), unusable="stop", recalibration=None):
        predicted = csv("predictions.csv", "id,probability", *predictions)
        wanted = csv("test_ids.csv", "id,image", *ids)
        out = tmp_path / "submission.csv"
        write_submission(str(predicted), str(wanted), unusable, str(out), recalibration)
        return pd.read_csv(out, dtype={"id": str})

    return write


def test_every_id_gets_the_probability_of_its_image_in_order(submission):
    assert list(submission()) == ["id", "label"]
    assert submission().to_dict("list") == {"id": ["007", "a", "b"], "label": [0.25, 0.0, 1.0]}
    table = submission(ids=["b.tif,b", "007,007"])
    assert table.to_dict("list") == {"id": ["b.tif", "007"], "label": [1.0, 0.25]}


def test_ids_that_look_like_numbers_stay_texts(submission):
    assert submission(["007,0.25", "8,0.5"], ids=["007,007", "8,8"]).id.tolist() == ["007", "8"]


def test_probabilities_are_not_rounded(submission):
    assert submission(["007,0.123456789", "a,1e-9", "b,0.5"]).label.tolist() == [0.123456789, 1e-9, 0.5]


@pytest.mark.parametrize("recalibration", [None, Recalibration(-1.0, 0.5)])
def test_an_id_without_an_image_gets_the_stated_value(submission, recalibration):
    """Calibration does not change it."""
    table = submission(ids=["b,b", "c,"], unusable=0.4, recalibration=recalibration)
    assert table.label.tolist() == [1.0, 0.4]


@pytest.mark.parametrize("predictions", [PREDICTIONS[:2], ["007,0.25", "b,1.0", "a,nan"]])
def test_an_image_without_a_probability_is_named(submission, predictions):
    with pytest.raises(InputError, match=r"predictions\.csv: there is no probability of 'a'"):
        submission(predictions)


@pytest.mark.parametrize("value", ["1.0001", "-0.1", "inf"])
def test_what_is_no_probability_is_refused(submission, value):
    with pytest.raises(InputError, match=rf"predictions\.csv: {float(value)} is not a probability"):
        submission(["007,0.25", "b,1.0", f"a,{value}"])


def test_a_doubled_prediction_is_named(submission):
    with pytest.raises(InputError, match=r"predictions\.csv: the id 'a' appears twice"):
        submission([*PREDICTIONS, "a,0.5"])


def test_nothing_is_written_where_something_is_wrong(submission, tmp_path):
    with pytest.raises(InputError):
        submission(["007,2"])
    assert not (tmp_path / "submission.csv").exists()


def test_calibrated_probabilities_keep_their_ranking(submission):
    values = {"a": 0.001, "b": 0.2, "c": 0.5, "d": 0.999}
    predictions, ids = [f"{k},{v}" for k, v in values.items()], [f"{k},{k}" for k in values]
    raw, calibrated = (
        submission(predictions, ids, recalibration=r) for r in (None, Recalibration(-2.2, 0.5))
    )
    assert raw.label.tolist() == [0.001, 0.2, 0.5, 0.999]
    odds = raw.label / (1 - raw.label)
    assert calibrated.label.tolist() == pytest.approx((1 / (1 + np.exp(2.2) / odds**0.5)).tolist())
    assert calibrated.label.rank().tolist() == raw.label.rank().tolist()
