import json
import subprocess

import pandas as pd
import pytest
import yaml

from histopatch.report.reproduction import commit_of, configuration_file, facts, settings_of_networks


@pytest.fixture
def reports(tmp_path):
    found = []
    for fold, seed in enumerate((1, 1)):
        network = {
            "settings": {"lr": 0.1, "seed": seed}, "libraries": {"torch": "2.9", "numpy": "2.1"},
            "device": "one GPU", "precision": "fp32", "layout": "contiguous",
            "seconds": {"train": 60.0, "data": 15.5},
        }  # fmt: skip
        (tmp_path / f"run-{fold}.json").write_text(json.dumps(network))
        found.append(str(tmp_path / f"run-{fold}.json"))
    return found


def test_facts_come_from_the_files(reports):
    runs = pd.DataFrame(
        {"folder": ["a", "a", "b"], "seed": [3, 3, 1], "train_seconds": [3600.0, 3600.0, 5400.0]}
    )
    known = facts("mine", reports, runs, commit="abc")
    assert "experiment=mine" in known["command"]
    assert known["commit"] == "abc"
    assert known["versions"] == "numpy 2.1, torch 2.9"
    assert known["seeds"] == "1, 3"
    assert known["memory layout"] == "contiguous"
    assert known["final networks"] == "2, trained in 3 min together"  # 151 s
    assert known["runs of the studies"] == "2, trained in 2.5 h together"
    assert "not known" in facts("mine", reports, runs, commit=None)["commit"]


def test_the_settings_of_folds_are_given_once(reports):
    assert yaml.safe_load(settings_of_networks(reports)) == {"lr": 0.1, "seed": 1}


def test_the_configuration_is_a_file_that_asks_for_the_experiment():
    read = yaml.safe_load(configuration_file("mine", {"dataset": {"format": "kaggle"}}))
    assert read == {"experiment": "mine", "experiments": {"mine": {"dataset": {"format": "kaggle"}}}}


def git(folder, *arguments):
    known = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(folder), *known, *arguments], check=True, capture_output=True)


def test_the_commit_is_that_of_the_project_and_says_so_if_it_was_edited(tmp_path):
    assert commit_of(tmp_path) is None
    library = tmp_path / "workflow/histopatch"
    library.mkdir(parents=True)
    (library / "__init__.py").touch()
    (tmp_path / "Snakefile").touch()
    git(tmp_path, "init")
    assert commit_of(tmp_path) is None  # nothing is committed
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    commit = commit_of(tmp_path)
    assert len(commit) == 40
    (tmp_path / "notes.txt").touch()
    assert commit_of(tmp_path) == commit
    (tmp_path / "Snakefile").write_text("edited")
    assert commit_of(tmp_path) == f"{commit} with edits that are not committed"


def test_a_repository_around_a_project_is_not_its_own(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "other").touch()
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    project = tmp_path / "project/workflow/histopatch"
    project.mkdir(parents=True)
    assert commit_of(tmp_path / "project") is None
