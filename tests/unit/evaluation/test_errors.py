import numpy as np
import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.errors import errors_table, misclassified
from histopatch.evaluation.predictions import Predictions
from histopatch.files import read_table
from histopatch.statistics.ensembles import Ensemble


def predictions(labels, probabilities, slides=None):
    places = np.arange(len(labels))
    slides = None if slides is None else np.array(slides)
    return Predictions(places, np.array(labels), np.array(probabilities), slides, np.zeros_like(places))


def test_the_wrong_ones_are_listed_with_their_call_and_slide():
    table = misclassified(predictions([0, 0, 1, 1], [0.1, 0.9, 0.2, 0.8], ["a", "b", "", "d"]), 0.5)
    assert table.set_index("place")[["label", "call", "slide"]].to_dict("index") == {
        1: {"label": 0, "call": 1, "slide": "b"},
        2: {"label": 1, "call": 0, "slide": ""},
    }


def test_a_probability_at_the_threshold_is_called_positive():
    assert [*misclassified(predictions([0, 1], [0.3, 0.3]), 0.3).place] == [0]


def test_the_most_confident_mistakes_come_first_whichever_way_they_are():
    # From a threshold of 0.2: 0.02 went 90 % of the way down, 0.84 80 % of the way up, 0.28 10 %.
    table = misclassified(predictions([0, 1, 0], [0.28, 0.02, 0.84]), 0.2)
    assert [*table.place] == [1, 2, 0]


@pytest.mark.parametrize("threshold", [0.0, 1.0, np.nextafter(1.0, 2)])
def test_a_threshold_at_an_end_lists_all_of_one_class(threshold):
    table = misclassified(predictions([0, 1, 0, 1], [0.0, 0.5, 0.4, 0.2]), threshold)
    assert {*table.label} == ({0} if threshold == 0 else {1})
    assert len(table) == 2


def test_without_mistakes_the_table_is_empty():
    assert misclassified(predictions([0, 1], [0.1, 0.9]), 0.5).empty


@pytest.fixture
def paths(tmp_path):
    write = {
        "fold-0.csv": "id,label,probability\na,0,0.9\nb,1,0.8\n",
        "held.csv": "id,label,probability\n7,1,0.1\n8,0,0.2\n",
        "split.csv": "id,label,slide,fold\na,0,s1,0\nb,1,s1,0\n7,1,007,-2\n8,0,007,-2\n",
        "points.csv": "point,threshold\nsensitivity_95,0.01\nyouden,0.5\n",
    }
    for name, text in write.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in (*write, "errors.csv", "run.json")}


@pytest.mark.parametrize(("held_out", "wrong"), [(True, ("7", "007")), (False, ("a", "s1"))])
def test_it_is_about_the_patches_that_the_model_is_measured_on(paths, held_out, wrong):
    measured = paths["held.csv"] if held_out else None
    ensemble = Ensemble(members=1, average="probability")
    errors_table(
        [paths["fold-0.csv"]],
        measured,
        ensemble,
        paths["split.csv"],
        paths["points.csv"],
        paths["errors.csv"],
    )
    (row,) = read_table(paths["errors.csv"]).itertuples()
    assert (row.id, row.slide) == wrong


def test_an_id_that_a_spreadsheet_would_run_is_harmless(paths, tmp_path):
    (tmp_path / "fold-0.csv").write_text("id,label,probability\n=1+1,0,0.9\nb,1,0.8\n")
    (tmp_path / "split.csv").write_text("id,label,slide,fold\n=1+1,0,s1,0\nb,1,s1,0\n")
    ensemble = Ensemble(members=1, average="probability")
    errors_table(
        [paths["fold-0.csv"]], None, ensemble, paths["split.csv"], paths["points.csv"], paths["errors.csv"]
    )
    assert pd.read_csv(tmp_path / "errors.csv").id[0] == "'=1+1"
    assert read_table(tmp_path / "errors.csv").id[0] == "=1+1"


def test_a_final_training_that_failed_is_one_line(paths, tmp_path):
    (tmp_path / "run.json").write_text('{"failed": "no memory"}')
    (tmp_path / "predictions.csv").write_text("id,label\n")
    with pytest.raises(InputError, match="the final training failed: no memory"):
        errors_table(
            [str(tmp_path / "predictions.csv")], None, Ensemble(1, "probability"), paths["split.csv"],
            paths["points.csv"], paths["errors.csv"],
        )  # fmt: skip
