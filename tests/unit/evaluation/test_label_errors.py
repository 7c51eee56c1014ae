import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.label_errors import COLUMNS, label_errors_table
from histopatch.files import read_table
from histopatch.statistics.ensembles import Ensemble


@pytest.fixture
def suspects(tmp_path):
    """The table of suspects from predictions `id,label,probability,slide` of folds and held-out patches."""

    def run(*folds: pd.DataFrame, held_out: pd.DataFrame | None = None) -> pd.DataFrame:
        parts = {str(number): part for number, part in enumerate(folds)}
        parts |= {} if held_out is None else {"held_out": held_out}
        for name, part in parts.items():
            (tmp_path / name).mkdir()
            part.drop(columns="slide").to_csv(tmp_path / name / "predictions.csv", index=False)
        paths = {name: str(tmp_path / name / "predictions.csv") for name in parts}
        pd.concat([*parts.values()])[["id", "slide"]].to_csv(tmp_path / "split.csv", index=False)
        held = paths.pop("held_out", None)
        label_errors_table(
            [*paths.values()], held, Ensemble(1), str(tmp_path / "split.csv"), str(tmp_path / "table.csv")
        )
        return read_table(tmp_path / "table.csv")

    return run


def patches(prefix: str, **wrong: float) -> pd.DataFrame:
    """Forty patches that a model knows, and some labelled 0 with the given probabilities of label 1."""
    labels = np.arange(40) % 2
    known = pd.DataFrame({"id": [f"{prefix}{i:02d}" for i in range(40)], "label": labels})
    known = known.assign(probability=np.where(labels, 0.9, 0.1))
    more = pd.DataFrame({"id": [*wrong], "label": 0, "probability": [*wrong.values()]})
    return pd.concat([known, more]).assign(slide=f"slide {prefix}")


def test_the_least_probable_labels_of_all_parts_come_first(suspects):
    table = suspects(
        patches("a", first=0.99, third=0.93), patches("b", usual=0.7), held_out=patches("c", second=0.97)
    )
    assert [*table.columns] == COLUMNS
    assert [*table.id] == ["first", "second", "third"]
    assert [*table["rank"]] == [1, 2, 3]
    assert [*table.part] == ["validation", "held out", "validation"]
    assert [*table.slide] == ["slide a", "slide c", "slide a"]
    assert [*table.label] == [0, 0, 0]
    assert [*table.probability] == [0.99, 0.97, 0.93]


def test_suspects_that_are_equally_probable_are_in_the_order_of_their_ids(suspects):
    table = suspects(patches("b", z=0.99, x=0.99), held_out=patches("a", y=0.99))
    assert [*table.id] == ["x", "y", "z"]


def test_without_suspects_the_table_is_empty(suspects):
    assert suspects(patches("a")).empty


def test_each_part_is_judged_by_the_networks_that_predicted_it(suspects):
    """Means of several networks are less extreme: 0.7 is unusual among them, though not among the folds'."""
    timid = patches("c", doubted=0.7)
    timid["probability"] = timid.probability.where(timid.id == "doubted", 0.5 + (timid.probability - 0.5) / 4)
    assert [*suspects(patches("a"), held_out=timid).id] == ["doubted"]
