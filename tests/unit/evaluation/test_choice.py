"""What the comparison of a study is worth: its optimism, how many slides would do, and what it could find."""

import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.choice import COLUMNS, choice_table
from histopatch.statistics.auroc import auroc
from histopatch.statistics.selection import auroc_of_the_choice

SLIDES = np.repeat(np.arange(20), 20)
LABELS = np.random.default_rng(0).integers(0, 2, len(SLIDES))
IDS = [f"{i:03d}" for i in range(len(SLIDES))]
STUDY = {f"run{k}": 1.5 * LABELS + np.random.default_rng(k + 1).normal(size=len(SLIDES)) for k in range(4)}


@pytest.fixture
def choice(table_of_runs, tmp_path):
    """The only row of the table of a study; scores: of each run by its name."""

    def table(scores: dict, slides=SLIDES, ids=None, validated_on=None) -> dict:
        split = pd.DataFrame({"id": IDS, "label": LABELS, "slide": slides, "fold": 0})
        split.to_csv(tmp_path / "main.csv", index=False)
        runs, rows = [], []
        for name, values in scores.items():
            (tmp_path / name / "fold-0").mkdir(parents=True, exist_ok=True)
            found = pd.DataFrame({"id": IDS, "label": LABELS, "probability": 1 / (1 + np.exp(-values))})
            kept = found.id.isin((ids or {}).get(name, IDS))
            found[kept].to_csv(tmp_path / name / "fold-0" / "predictions.csv", index=False)
            runs.append({"folder": name, "settings": {"split": "main"}, "folds": 1})
            rows.append({"run": name, "folder": name, "final_val_auc": round(auroc(LABELS, values), 6)})
            rows[-1] |= {"validated_on": (validated_on or {}).get(name, "unseen slides")}
        splits = {"main": str(tmp_path / "main.csv")}
        choice_table(runs, str(tmp_path), splits, table_of_runs(*rows), str(tmp_path / "choice.csv"))
        written = pd.read_csv(tmp_path / "choice.csv")
        assert [*written] == COLUMNS
        (row,) = written.to_dict("records")
        return row

    return table


def test_a_study_has_its_best_run_corrected_for_the_choice(choice):
    row = choice(STUDY)
    areas = {name: auroc(LABELS, scores) for name, scores in STUDY.items()}
    best = max(areas, key=areas.get)
    assert (row["run"], row["chosen_from"], row["val_auc"]) == (best, 4, pytest.approx(areas[best], abs=1e-6))
    probabilities = [1 / (1 + np.exp(-scores)) for scores in [STUDY[best], *STUDY.values()]]
    expected = auroc_of_the_choice(LABELS, probabilities, SLIDES)
    assert row["corrected_val_auc"] == pytest.approx(expected, abs=1e-6)
    assert row["corrected_val_auc"] < row["val_auc"]
    assert (row["unit"], row["units"], row["rarer_units"]) == ("slide", 20, 20)
    assert row["units_for_0.01"] > 20
    assert 0 < row["detectable_difference"] < 0.2


def test_runs_on_other_patches_are_no_candidates(choice):
    worst = min(STUDY, key=lambda name: auroc(LABELS, STUDY[name]))
    assert choice(STUDY, ids={worst: IDS[:-1]})["chosen_from"] == 3


def test_runs_on_easier_patches_are_no_candidates(choice):
    best = max(STUDY, key=lambda name: auroc(LABELS, STUDY[name]))
    row = choice(STUDY, validated_on={best: "random patches"})
    assert (row["run"], row["chosen_from"]) == (best, 1)


def test_a_clear_choice_is_not_corrected_upwards(choice):
    clear = {"run0": STUDY["run0"] + 3 * LABELS, "run1": STUDY["run1"]}
    row = choice(clear)
    assert row["corrected_val_auc"] <= row["val_auc"]
    assert row["corrected_val_auc"] == pytest.approx(row["val_auc"], abs=0.005)


def test_one_run_is_no_choice(choice):
    row = choice({"run0": STUDY["run0"]})
    assert row["chosen_from"] == 1
    assert row["units_for_0.01"] > 20
    assert np.isnan([row["corrected_val_auc"], row["detectable_difference"]]).all()


def test_without_slides_nothing_is_said_by_slide(choice):
    row = choice(STUDY, slides=None)
    assert row["chosen_from"] == 4
    assert pd.isna([row[name] for name in COLUMNS[4:]]).all()


def test_with_four_slides_the_choice_is_not_corrected(choice):
    row = choice(STUDY, slides=SLIDES // 5)
    assert row["units"] == 4
    assert np.isnan(row["corrected_val_auc"])
    assert row["detectable_difference"] > 0


def test_with_one_slide_of_a_class_nothing_is_known_of_the_precision(choice):
    row = choice(STUDY, slides=np.where(LABELS == 1, 0, 1 + SLIDES))
    assert row["rarer_units"] == 1
    assert np.isnan([row["units_for_0.01"], row["detectable_difference"]]).all()
