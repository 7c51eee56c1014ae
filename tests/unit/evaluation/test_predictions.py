import pytest

from histopatch.errors import InputError
from histopatch.evaluation.predictions import (
    Predictions,
    ids_at,
    known_patches,
    read_predictions,
    read_run_predictions,
)


@pytest.fixture
def write(tmp_path):
    def table(name: str, text: str):
        path = tmp_path / name
        path.write_text(text)
        return path

    return table


def read(paths, split) -> Predictions:
    with known_patches(split) as patches:
        return read_predictions(paths, patches)


def test_predictions_get_the_slides_of_their_patches(write):
    split = write("split.csv", "id,label,slide,fold\n007,1,s1,0\nNA,0,s2,0\nb,1,s1,-1\n")
    path = write("predictions.csv", "id,label,probability\nNA,0,0.25\n007,1,0.5\n")
    predictions = read([path], split)
    assert list(ids_at(split, predictions.places)) == ["007", "NA"]
    assert list(predictions.labels) == [1, 0]
    assert list(predictions.probabilities) == [0.5, 0.25]
    assert list(predictions.slides) == ["s1", "s2"]


def test_a_patch_without_a_slide_is_one_of_its_own(write):
    split = write("split.csv", "id,label,slide,fold\na,1,s1,0\nb,0,,0\nc,0,,0\nd,1,s1,0\n")
    path = write("predictions.csv", "id,label,probability\na,1,0.5\nb,0,0.4\nc,0,0.3\nd,1,0.2\n")
    predictions = read([path], split)
    a, b, c, d = predictions.units
    assert a == d
    assert len({a, b, c}) == 3
    assert predictions.counts == {"slides": 1, "patients": None, "unmapped": 2}


def test_where_no_slide_is_known_there_are_none(write):
    split = write("split.csv", "id,label,slide,fold\na,1,,0\nb,0,,0\n")
    path = write("predictions.csv", "id,label,probability\na,1,0.5\n")
    assert read([path], split).slides is None


def test_a_patch_that_the_split_lacks_is_named(write):
    split = write("split.csv", "id,label,slide,fold\na,1,,0\n")
    path = write("predictions.csv", "id,label,probability\na,1,0.5\nb,0,0.5\n")
    with pytest.raises(InputError, match=r"predictions\.csv: the patch 'b' is not in the split"):
        read([path], split)


def test_the_folds_of_a_run_are_pooled(write):
    folds = [
        write("0.csv", "id,label,probability\nc,0,0.25\na,1,0.5\n"),
        write("1.csv", "id,label,probability\nb,1,0.75\n"),
    ]
    split = write("split.csv", "id,label,slide,fold\nb,1,,1\nc,0,,0\na,1,,0\n")
    predictions = read(folds, split)
    assert list(ids_at(split, predictions.places)) == [*"abc"]
    assert list(predictions.probabilities) == [0.5, 0.75, 0.25]
    assert list(predictions.folds) == [0, 1, 0]
    some = predictions.subset(predictions.folds == 0)
    assert (list(some.places), list(some.labels), some.slides) == ([2, 1], [1, 0], None)


def test_probabilities_stay_what_they_are_after_a_fold_of_zeros_and_ones(write):
    folds = [
        write("0.csv", "id,label,probability\na,1,1\nb,0,0\n"),
        write("1.csv", "id,label,probability\nc,0,0.25\n"),
    ]
    split = write("split.csv", "id,label,slide,fold\na,1,,0\nb,0,,0\nc,0,,1\n")
    assert list(read(folds, split).probabilities) == [1, 0, 0.25]


def test_runs_are_read_once_each_with_the_slides_of_their_split(write, tmp_path):
    splits = {
        name: str(write(f"{name}.csv", f"id,label,slide,fold\na,1,{slide},0\nb,0,{slide},1\n"))
        for name, slide in (("main", ""), ("slides", "s1"))
    }
    for folder, fold, patch in (("x", 0, "a,1,0.5"), ("y", 0, "a,1,0.6"), ("y", 1, "b,0,0.7")):
        (tmp_path / folder / f"fold-{fold}").mkdir(parents=True)
        write(f"{folder}/fold-{fold}/predictions.csv", f"id,label,probability\n{patch}\n")
    runs = [
        {"folder": "x", "folds": 1, "settings": {"split": "main"}},
        {"folder": "y", "folds": 2, "settings": {"split": "slides"}},
        {"folder": "x", "folds": 1, "settings": {"split": "main"}},
    ]
    found = read_run_predictions(runs, str(tmp_path), splits)
    assert [*found] == ["x", "y"]
    assert (list(found["x"].places), found["x"].slides) == ([0], None)
    assert (list(found["y"].places), list(found["y"].slides)) == ([0, 1], ["s1", "s1"])


def test_runs_of_a_split_share_what_they_have_in_common_and_nothing_else(write, tmp_path):
    split = write("main.csv", "id,label,slide,fold\na,1,s1,0\nb,0,s2,1\nc,1,s3,-1\n")
    predicted = {
        "x": ["a,1,0.5", "b,0,0.6"], "y": ["a,1,0.7", "b,0,0.8"], "other folds": ["a,1,0.1\nb,0,0.2"],
        "other patches": ["a,1,0.3", "c,1,0.4"],
    }  # fmt: skip
    for folder, folds in predicted.items():
        for fold, rows in enumerate(folds):
            (tmp_path / folder / f"fold-{fold}").mkdir(parents=True)
            write(f"{folder}/fold-{fold}/predictions.csv", f"id,label,probability\n{rows}\n")
    runs = [
        {"folder": folder, "folds": len(folds), "settings": {"split": "main"}}
        for folder, folds in predicted.items()
    ]
    found = read_run_predictions(runs, str(tmp_path), {"main": str(split)})
    assert found["y"].slides is found["x"].slides
    listed = {
        name: [list(run.probabilities), list(run.folds), list(run.slides)] for name, run in found.items()
    }
    assert listed == {
        "x": [[0.5, 0.6], [0, 1], ["s1", "s2"]],
        "y": [[0.7, 0.8], [0, 1], ["s1", "s2"]],
        "other folds": [[0.1, 0.2], [0, 0], ["s1", "s2"]],
        "other patches": [[0.3, 0.4], [0, 1], ["s1", "s3"]],
    }


PATIENTS = (
    "id,label,slide,fold,patient\na,1,s1,0,p1\nb,0,s2,0,p1\nc,0,s3,0,P2\nd,1,s4,0,p2\ne,0,s5,0,\nf,0,s5,0,\n"
)


@pytest.mark.input(
    "Slide map",
    "patients besides slides",
    "intervals and tests are by patient: slides of one are not independent",
)
def test_slides_of_a_patient_are_one_unit(write):
    rows = "".join(f"{name},{i % 2},0.5\n" for i, name in enumerate("abcdef"))
    path = write("predictions.csv", f"id,label,probability\n{rows}")
    predictions = read([path], write("split.csv", PATIENTS))
    a, b, c, d, e, f = predictions.units
    assert a == b
    assert c == d  # names that differ by case only
    assert e == f  # without a patient, patches of a slide stay together
    assert len({a, c, e}) == 3
    assert predictions.counts == {"slides": 5, "patients": 2, "unmapped": 2}
    found = predictions.summarise()
    assert (found["auc_interval"], found["patients"], found["slides"]) == ("patient jackknife", 2, 5)


def test_patches_whose_slides_are_unknown_are_no_slides(write):
    """Slides are known of other patches only."""
    split = write("split.csv", "id,label,slide,fold\na,1,,0\nb,0,,0\nc,0,s1,-1\n")
    path = write("predictions.csv", "id,label,probability\na,1,0.5\nb,0,0.4\n")
    predictions = read([path], split)
    assert predictions.units is None
    assert predictions.summarise()["auc_interval"] == "DeLong"
    assert predictions.counts["slides"] == 0
