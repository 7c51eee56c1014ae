import pandas as pd
import pytest

from histopatch.evaluation.predictions import read_predictions, read_run_predictions, read_slides


@pytest.fixture
def write(tmp_path):
    def table(name: str, text: str):
        path = tmp_path / name
        path.write_text(text)
        return path

    return table


def test_predictions_get_the_slides_of_their_patches(write):
    split = write("split.csv", "id,label,slide,fold\n007,1,s1,0\nNA,0,s2,0\nb,1,s1,-1\n")
    path = write("predictions.csv", "id,label,probability\nNA,0,0.25\n007,1,0.5\n")
    predictions = read_predictions([path], read_slides(split))
    assert list(predictions.ids) == ["007", "NA"]
    assert list(predictions.labels) == [1, 0]
    assert list(predictions.probabilities) == [0.5, 0.25]
    assert list(predictions.slides) == ["s1", "s2"]


def test_a_patch_without_a_slide_is_one_of_its_own(write):
    split = write("split.csv", "id,label,slide,fold\na,1,s1,0\nb,0,,0\nc,0,,0\nd,1,s1,0\n")
    slides = read_slides(split)
    assert slides.a == slides.d == "s1"
    assert slides.nunique() == 3


def test_where_no_slide_is_known_there_are_none(write):
    split = write("split.csv", "id,label,slide,fold\na,1,,0\nb,0,,0\n")
    assert read_slides(split) is None
    path = write("predictions.csv", pd.DataFrame({"id": ["a"], "label": 1, "probability": 0.5}).to_csv())
    assert read_predictions([path], None).slides is None


def test_the_folds_of_a_run_are_pooled(write):
    folds = [
        write("0.csv", "id,label,probability\nc,0,0.25\na,1,0.5\n"),
        write("1.csv", "id,label,probability\nb,1,0.75\n"),
    ]
    predictions = read_predictions(folds, None)
    assert list(predictions.ids) == [*"abc"]
    assert list(predictions.probabilities) == [0.5, 0.75, 0.25]
    assert list(predictions.folds) == [0, 1, 0]
    some = predictions.subset(predictions.folds == 0)
    assert (list(some.ids), list(some.labels), some.slides) == (["a", "c"], [1, 0], None)


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
    assert (list(found["x"].ids), found["x"].slides) == (["a"], None)
    assert (list(found["y"].ids), list(found["y"].slides)) == (["a", "b"], ["s1", "s1"])
