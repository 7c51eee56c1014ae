import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.submission import write_submission

PREDICTIONS = ["007,0.25", "b,1.0", "a,0.0"]


@pytest.fixture
def submission(tmp_path, csv):
    """Write a submission for a folder of images, or for the ids of a sample."""
    folder = tmp_path / "test"
    folder.mkdir()

    def write(predictions=PREDICTIONS, images=("b.tif", "007.tif", "a.tif"), sample=None, temperature=None):
        for name in images:
            (folder / name).write_bytes(b"")
        predicted = csv("predictions.csv", "id,probability", *predictions)
        asked = sample and str(csv("sample.csv", "id,label", *sample))
        out = tmp_path / "submission.csv"
        write_submission(str(predicted), str(folder), asked, str(out), temperature)
        return pd.read_csv(out, dtype={"id": str})

    return write


def test_every_image_has_a_row_sorted_by_name(submission):
    table = submission()
    assert table.to_dict("list") == {"id": ["007", "a", "b"], "label": [0.25, 0.0, 1.0]}


def test_a_sample_decides_which_rows_and_their_order(submission):
    table = submission(sample=["b,0", "007,0"])
    assert table.to_dict("list") == {"id": ["b", "007"], "label": [1.0, 0.25]}


def test_ids_that_look_like_numbers_stay_texts(submission):
    assert submission(["007,0.25", "8,0.5"], images=["007.tif", "8.tif"]).id.tolist() == ["007", "8"]


def test_probabilities_are_not_rounded(submission):
    assert submission(["007,0.123456789", "a,1e-9", "b,0.5"]).label.tolist() == [0.123456789, 1e-9, 0.5]


def test_files_that_are_no_images_have_no_row(submission):
    assert "notes" not in set(submission(images=["a.tif", "notes.txt"]).id)


@pytest.mark.parametrize("sample", [None, ["a,0", "b,0", "007,0", "c,0"]])
def test_an_image_without_a_prediction_is_named(submission, sample):
    images = ["a.tif", "b.tif", "007.tif"] + ([] if sample else ["c.tif"])
    with pytest.raises(InputError, match="1 of 4 ids have no prediction, the first is 'c'"):
        submission(images=images, sample=sample)


def test_a_prediction_that_is_no_number_is_missing(submission):
    with pytest.raises(InputError, match="1 of 3 ids have no prediction, the first is 'a'"):
        submission(["007,0.25", "b,1.0", "a,nan"])


@pytest.mark.parametrize("value", ["1.0001", "-0.1", "inf"])
def test_what_is_no_probability_is_refused(submission, value):
    with pytest.raises(InputError, match=rf"predictions\.csv: {float(value)} is not a probability"):
        submission(["007,0.25", "b,1.0", f"a,{value}"])


def test_a_doubled_prediction_is_named(submission):
    with pytest.raises(InputError, match=r"predictions\.csv: the id 'a' appears twice"):
        submission([*PREDICTIONS, "a,0.5"])


def test_a_doubled_id_of_the_sample_is_named(submission):
    with pytest.raises(InputError, match=r"sample\.csv: the id 'b' appears twice"):
        submission(sample=["b,0", "a,0", "b,0"])


def test_two_images_of_one_id_are_named(submission):
    with pytest.raises(InputError, match="the id 'a' appears twice"):
        submission(images=["a.tif", "a.png", "b.tif", "007.tif"])


def test_a_sample_without_ids_is_named(submission, csv, tmp_path):
    predictions = csv("predictions.csv", "id,probability", *PREDICTIONS)
    sample = csv("sample.csv", "image,label", "a,0")
    with pytest.raises(InputError, match=r"sample\.csv: there is no column 'id'"):
        write_submission(str(predictions), str(tmp_path), str(sample), str(tmp_path / "out.csv"))


def test_nothing_is_written_where_something_is_wrong(submission, tmp_path):
    with pytest.raises(InputError):
        submission(["a,0.5"])
    assert not (tmp_path / "submission.csv").exists()


def test_calibrated_probabilities_keep_their_ranking(submission):
    predictions = ["a,0.001", "b,0.2", "c,0.5", "d,0.999"]
    images = ["a.tif", "b.tif", "c.tif", "d.tif"]
    raw, calibrated = (submission(predictions, images, temperature=t) for t in (None, 2.0))
    assert raw.label.tolist() == [0.001, 0.2, 0.5, 0.999]
    odds = raw.label / (1 - raw.label)
    assert calibrated.label.tolist() == pytest.approx((odds**0.5 / (1 + odds**0.5)).tolist())
    assert calibrated.label.rank().tolist() == raw.label.rank().tolist()
