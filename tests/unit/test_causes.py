import json
from pathlib import Path

import pandas as pd
import pytest

from histopatch import config
from histopatch.causes import FOLLOWS, Planned, cause_of_step, cause_of_training
from histopatch.evaluation.run_table import setting_values
from histopatch.experiment import Experiment, read_experiment
from histopatch.files import write_table

CODE, NEW_CODE = repr("0123456789abcdef"), repr("fedcba9876543210")


def experiment(**settings) -> Experiment:
    section = {
        "dataset": {"format": "synthetic"},
        "defaults": {"backbone": "resnet18", "weights": "none", **settings},
        "studies": {"only": {"runs": {"one": {}}}},
        "final": {"study": "only", "overrides": {"epochs": 9}},
    }
    loaded = config.load({"experiment": "mine", "experiments": {"mine": section}})
    return read_experiment("mine", loaded["experiments"]["mine"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def planned(rule: str = "split", wildcards: dict | None = None, **known) -> Planned:
    nothing = {
        "missing": [], "deleted": [], "updated": [], "follows": False, "incomplete": False, "forced": False,
        "inputs_changed": False, "params": {}, "params_before": [], "params_now": [],
    }  # fmt: skip
    return Planned(rule, wildcards or {"experiment": "mine"}, **nothing | known)


def training(asked: Experiment, **known) -> Planned:
    run = asked.studies["only"]["one"].folder
    return planned("train", {"experiment": "mine", "run": run, "fold": "0"}, **known)


def why(asked: Experiment, **known) -> str:
    job = training(asked, **known)
    return cause_of_training(job, [job], asked)


def compared(before: Experiment) -> None:
    """Leave the table of a comparison of the runs."""
    run = before.studies["only"]["one"]
    row = {"study": "only", "run": "one", "folder": run.folder, **setting_values(run.identity)}
    write_table(pd.DataFrame([row]), "results/mine/tables/runs.csv")


def test_a_run_whose_settings_were_edited_says_which():
    compared(experiment(augmentation={"rotation": 90}, dropout=0.2, scheduler="cosine"))
    asked = experiment(augmentation={"rotation": 45}, dropout=0.2, scheduler="none", deterministic=True)
    told = why(asked, missing=["model.safetensors"])
    assert told == "rotation 90 → 45, deterministic false → true, scheduler cosine → none"


def test_a_run_that_was_never_compared_is_new():
    assert why(experiment(), missing=["model.safetensors"]) == "new"


def test_a_run_that_was_never_trained_is_new_whatever_else_is_made():
    asked = experiment()
    job = training(asked, missing=["model.safetensors"], follows=True)
    plan = [planned("pack", {"experiment": "mine", "part": "train"}), job]
    assert cause_of_training(job, plan, asked) == "new"
    Path("results/mine/runs", job.wildcards["run"]).mkdir(parents=True)
    assert cause_of_training(job, plan, asked) == "follows from packing the train images"


def test_a_run_whose_file_was_deleted_names_it():
    told = why(experiment(), missing=["a/run.json"], deleted=["a/run.json"])
    assert told == "a/run.json is missing"


def test_an_edit_of_code_is_one():
    asked = experiment()
    params = {"settings": "{'lr': 0.1}", "code": NEW_CODE}
    assert why(asked, params=params, params_before=[CODE], params_now=[NEW_CODE]) == "its code changed"


def test_the_final_training_is_compared_with_the_one_before():
    before = experiment()
    (winner, final), *_ = before.final_runs.items()
    member = {"folder": winner, "final_folder": "old"}
    for path, content in (
        ("results/mine/final/best.json", {"members": [member]}),
        ("results/mine/runs/old/fold-0/run.json", {"settings": final.identity | {"epochs": 4}}),
    ):
        write(path, content)
    wildcards = {"experiment": "mine", "run": final.folder, "fold": "0"}
    job = planned("train", wildcards, missing=["run.json"])
    assert cause_of_training(job, [job], before) == "epochs 4 → 9"
    best = planned("best", params={"final_runs": "{'a': 'b'}"}, params_before=["{'a': 'c'}"],
                   params_now=["{'a': 'b'}"])  # fmt: skip
    assert cause_of_step(best, before) == "final training: epochs 4 → 9"


def write(path: str, content) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"updated": ["data/labels.csv"]}, "data/labels.csv changed"),
        ({"forced": True}, "forced"),
        ({"incomplete": True}, "was interrupted"),
        ({"follows": True}, FOLLOWS),
        ({"follows": True, "missing": ["a.csv"]}, FOLLOWS),
        ({"missing": ["a.csv"]}, "new"),
        ({"missing": ["a", "b"], "deleted": ["a", "b"]}, "a is missing, and 1 more"),
        ({"inputs_changed": True}, "reads other files than before"),
    ],
)
def test_a_step_says_why(known, told):
    assert cause_of_step(planned(**known), experiment()) == told


def params(before: dict, now: dict) -> dict:
    """What Snakemake knows of changed params."""
    old, new = ({repr(value) for value in values.values()} for values in (before, now))
    texts = {name: repr(value) for name, value in now.items()}
    return {"params": texts, "params_before": sorted(old - new), "params_now": sorted(new - old)}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"metric": "val_auc"}, {"metric": "val_brier"}, "metric val_auc → val_brier"),
        ({"count": 3, "name": "a"}, {"count": 5, "name": "a"}, "count 3 → 5"),
        ({"options": {"dpi": 60, "size": 2}}, {"options": {"dpi": 90, "size": 2}}, "dpi 60 → 90"),
        ({"split": {"seed": 1}}, {"split": {"seed": 1, "folds": 3}}, "folds off → 3"),
        ({"a": {"x": {"y": 1}}, "b": {"z": 1}}, {"a": {"x": {"y": 2}}, "b": {"z": 1}}, "y 1 → 2"),
        ({"members": [1]}, {"members": [1, 2]}, "its members changed"),
    ],
)
def test_changed_params_say_from_what_to_what(before, now, told):
    assert cause_of_step(planned(**params(before, now)), experiment()) == told
