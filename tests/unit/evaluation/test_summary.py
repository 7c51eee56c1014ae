import json

import pytest

from pcam.evaluation.summary import write_summary

CLEANING = {
    "before": {"label_rows": 220025, "images": 220031},
    "after": {"patches": 220000, "negative": 130900, "positive": 89100},
    "images_set_aside": 3,
    "rejected": {"duplicate row": 20, "no image": 5},
}


@pytest.fixture
def summary(table_of_runs, csv):
    def write(runs: list[dict], effects=(), group_by="none", **cleaning) -> str:
        cleaned = csv("summary.json", json.dumps(CLEANING | cleaning))
        header = "study,setting,value,runs,mean_val_auc,difference"
        path = cleaned.with_name("summary.md")
        tables = table_of_runs(*runs), str(csv("effects.csv", header, *effects))
        write_summary("mine", str(cleaned), {"main": {"group_by": group_by}}, *tables, str(path))
        return path.read_text()

    return write


def test_it_begins_with_the_experiment_and_its_data(summary):
    lines = summary([{}]).splitlines()
    assert lines[0] == "# mine"
    text = "\n".join(lines)
    assert "220,000 labelled patches, 40.5% positive, from 220,025 label rows and 220,031 images." in text
    assert "Rejected: 20 for duplicate row, 5 for no image." in text


def test_nothing_rejected_is_said(summary):
    assert "Nothing was rejected." in summary([{}], rejected={})


@pytest.mark.parametrize(
    ("group_by", "words"),
    [
        ("none", "Split `main` draws patches at random: expect less on slides that are new"),
        ("slide", "Split `main` keeps each slide on one side"),
        ("appearance", "a stand-in for slides"),
    ],
)
def test_the_kind_of_a_split_is_said(summary, group_by, words):
    assert words in summary([{}], group_by=group_by)


def test_every_study_has_its_best_run_with_its_interval(summary):
    text = summary(
        [
            {"study": "one", "run": "worse", "final_val_auc": 0.91},
            {"study": "one", "run": "better", "final_val_auc": 0.95, "epochs": 1},
            {"study": "two", "run": "only", "final_val_auc": 0.8},
        ]
    )
    one, two = text.split("## Study `one`")[1].split("## Study `two`")
    assert "Best of 2: `better`" in one
    assert "0.9500 (95 % interval 0.9400–0.9600) after 1 epoch." in one
    assert "Best of 1: `only`" in two
    assert "after 2 epochs." in two


def test_ties_with_the_best_are_named(summary):
    text = summary(
        [
            {"run": "first", "final_val_auc": 0.95},
            {"run": "near", "final_val_auc": 0.94, "tied_with_best": True},
            {"run": "far", "final_val_auc": 0.92, "tied_with_best": False},
            {"run": "elsewhere", "final_val_auc": 0.9, "tied_with_best": None},
        ]
    )
    assert "No evidence that these are worse (paired test, Holm): `near`." in text
    assert "Validated on other patches, so not tested against it: `elsewhere`." in text
    assert "`far`" not in text


def test_a_clear_winner_has_no_ties(summary):
    text = summary([{"final_val_auc": 0.95}, {"final_val_auc": 0.92, "tied_with_best": False}])
    assert "No evidence" not in text


def test_what_each_setting_changed_is_said_under_its_study(summary):
    effects = [
        "one,lr,0.0001,2,0.94,-0.0123",
        "one,lr,0.0003,2,0.95,0.0123",
        "two,dropout,0.2,1,0.8,0.001",
        "two,dropout,0.3,1,0.8,-0.001",
    ]
    text = summary([{"study": "one"}, {"study": "two"}], effects)
    one, two = text.split("## Study `two`")
    assert "- `lr`: 0.0003 scored +0.0123 AUROC against 0.0001, all else equal (mean over 2 runs)." in one
    assert "- `dropout`: 0.2 scored +0.0010 AUROC against 0.3, all else equal (mean over 1 run)." in two
    assert "dropout" not in one.split("## Study `one`")[1]
