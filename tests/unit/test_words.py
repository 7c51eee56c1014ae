import re
from dataclasses import replace
from pathlib import Path

import pytest

from histopatch import config
from histopatch.experiment import read_experiment
from histopatch.figures.catalogue import FIGURES
from histopatch.words import DOING, TRAININGS, count, duration, job_in_words, run_name

RULES = Path(__file__).parents[2] / "workflow/rules"


@pytest.fixture(scope="module")
def mine():
    section = {
        "dataset": {"format": "synthetic"},
        "splits": {"main": {}, "crossed": {"folds": 3}},
        "defaults": {"backbone": "resnet18", "weights": "none"},
        "studies": {
            "architecture": {"runs": {"plain": {"lr": 1.0e-3}, "folded": {"split": "crossed"}}},
            "rate": {"grid": {"lr": [3.0e-4, 1.0e-3]}},
        },
        "final": {"study": "rate", "overrides": {"epochs": 9}},
    }
    loaded = config.load({"experiment": "mine", "experiments": {"mine": section}})
    return read_experiment("mine", loaded["experiments"]["mine"])


def training(mine, study, name, **more) -> str:
    run = mine.studies[study][name].folder
    return job_in_words("train", {"experiment": "mine", "run": run, "fold": "1", **more}, mine)


def test_a_training_has_the_names_of_the_configuration(mine):
    assert training(mine, "architecture", "folded") == "training `architecture: folded`, fold 2 of 3"
    assert training(mine, "rate", "lr=0.0003", epochs="2") == "training `rate: lr=0.0003`, up to epoch 2"


def test_a_run_of_two_studies_is_named_once(mine):
    assert training(mine, "rate", "lr=0.001") == "training `architecture: plain` (in rate, too)"


def test_the_final_training_goes_by_its_winner(mine):
    winner = mine.studies["rate"]["lr=0.0003"].folder
    name = run_name(mine.final_runs[winner].folder, mine)
    assert name == "the final model, `rate: lr=0.0003` again"


def test_a_step_names_what_it_is_about(mine):
    assert job_in_words("pack", {"experiment": "mine", "part": "test"}, mine) == "packing the test images"
    drawing = job_in_words("figure_audit", {"experiment": "mine", "split": "main"}, mine)
    assert drawing == "drawing the figure `leakage audit of split main`"


def test_a_range_test_names_its_run(mine):
    wildcards = {"experiment": "mine", "run": mine.studies["architecture"]["folded"].folder}
    assert job_in_words("lr_range", wildcards, mine) == "trying learning rates for `architecture: folded`"
    drawing = job_in_words("figure_lr_range", wildcards, mine)
    assert drawing == "drawing the learning-rate range test of `architecture: folded`"


def test_a_step_of_an_external_data_set_names_it(mine):
    site = replace(mine, external={"site": mine.dataset}).external_sets["mine/external/site"]
    words = job_in_words("pack", {"experiment": site.name, "part": "train"}, site)
    assert words == "packing the train images of the external data set `site`"


def test_a_rule_without_words_goes_by_its_name(mine):
    assert job_in_words("count_cells", {"experiment": "mine", "slide": "s1"}, mine) == "count cells (s1)"


def test_every_step_has_words():
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    rules = set(re.findall(r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?::| with:)", text, re.M))
    assert rules <= {*DOING, *TRAININGS}
    assert {*DOING} <= rules
    assert {figure.label for figure in FIGURES}


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (59, "59 s"), (361, "6 min"), (7800, "2 h 10 min")]
)
def test_a_duration_is_read_at_a_glance(seconds, told):
    assert duration(seconds) == told


def test_a_count_is_in_the_plural_or_not():
    assert [count(n, "run") for n in (0, 1, 2)] == ["no runs", "1 run", "2 runs"]
