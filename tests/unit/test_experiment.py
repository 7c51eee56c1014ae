from pathlib import Path

import pytest

from histopatch.config import load
from histopatch.errors import InputError
from histopatch.experiment import Experiment, plain_cleaning, plain_split, read_experiment
from histopatch.runs import resolve

DATASET = {"format": "kaggle", "root": "data"}


def section(final: dict | None = None, splits: dict | None = None, **studies) -> dict:
    """The section of an experiment, checked and with defaults filled in."""
    experiment = {
        "dataset": DATASET,
        "splits": {"main": {}, "crossed": {"folds": 5}, **(splits or {})},
        "defaults": {"backbone": "resnet18", "image_size": 96},
        "studies": studies,
        "final": {"study": "one", **(final or {})},
    }
    return load({"experiment": "mine", "experiments": {"mine": experiment}})["experiments"]["mine"]


def read(*arguments, **studies) -> Experiment:
    return read_experiment("mine", section(*arguments, **studies))


def lr(experiment: Experiment) -> list[float]:
    return sorted(run.settings.lr for run in experiment.runs.values())


def test_the_same_run_in_two_studies_has_one_folder():
    experiment = read(one={"runs": {"plain": {}, "fast": {"lr": 1e-2}}}, two={"grid": {"lr": [3e-4, 1e-3]}})
    assert experiment.studies["one"]["plain"].folder == experiment.studies["two"]["lr=0.0003"].folder
    assert lr(experiment) == [3e-4, 1e-3, 1e-2]
    assert all(run.folder == folder for folder, run in experiment.runs.items())


def test_disabled_runs_are_no_part_of_an_experiment():
    assert lr(read(one={"runs": {"a": {}, "b": {"lr": 1e-2}}, "disabled": ["a"]})) == [1e-2]


def test_every_run_that_the_final_training_could_become_is_there():
    experiment = read(
        {"study": "two", "overrides": {"epochs": 3}},
        one={"runs": {"plain": {}}},
        two={"grid": {"lr": [1e-4, 1e-3]}},
    )
    candidates = {run.folder: run for run in experiment.studies["two"].values()}
    assert set(experiment.final_runs) == set(candidates)
    for folder, run in experiment.final_runs.items():
        assert run.identity == candidates[folder].identity | {"epochs": 3}
    finals = {run.folder for run in experiment.final_runs.values()}
    assert set(experiment.runs) == {experiment.studies["one"]["plain"].folder, *candidates, *finals}
    assert set(experiment.study_folders) == set(experiment.runs) - finals


def test_a_final_training_without_overrides_is_the_run_that_won():
    experiment = read(one={"runs": {"plain": {}}})
    assert all(run.folder == folder for folder, run in experiment.final_runs.items())
    assert len(experiment.runs) == 1


def test_a_run_is_trained_once_for_each_fold_of_its_split():
    experiment = read(one={"runs": {"plain": {}}}, two={"runs": {"crossed": {"split": "crossed"}}})
    assert [member["folds"] for member in experiment.members] == [1, 5]
    crossed = experiment.studies["two"]["crossed"].folder
    assert experiment.run_files(crossed, "run.json") == [
        f"runs/{crossed}/fold-{fold}/run.json" for fold in range(5)
    ]


def test_members_are_plain_values_in_an_order_of_their_own():
    """They are params of rules, whose text is compared: neither order nor spelling may show in them."""
    studies = {"b": {"runs": {"plain": {}}}, "one": {"runs": {"z": {"lr": 0.1}, "a": {"lr": 0.01}}}}
    turned = {"one": {"runs": {"a": {"lr": 0.01}, "z": {"lr": 0.1}}}, "b": {"runs": {"plain": {}}}}
    members = read(**studies).members
    assert repr(members) == repr(read(**turned).members)
    assert [(member["study"], member["run"]) for member in members] == [
        ("b", "plain"), ("one", "a"), ("one", "z")
    ]  # fmt: skip
    assert members[0]["settings"] == resolve(section(**studies)["defaults"]).identity


def test_values_at_neutral_are_left_out_of_params():
    experiment = read(one={"runs": {"plain": {}}})
    assert plain_split(experiment.splits["main"]) == {"seed": 42, "validation_fraction": 0.15}
    assert plain_split(experiment.splits["crossed"])["folds"] == 5
    assert plain_cleaning(experiment.cleaning) == {"near_blank_std": 6.0}


def test_what_a_leak_leads_to_is_no_part_of_a_split():
    splits = {"main": {"folds": 2, "on_leak": "stop"}}
    split = read(None, splits, one={"runs": {"plain": {}}}).splits["main"]
    assert split.on_leak == "stop"
    assert "on_leak" not in plain_split(split)


def test_the_data_set_hands_over_its_files():
    dataset = read(one={"runs": {"plain": {}}}).dataset
    assert (dataset.root, dataset.where) == ("data", "data/train_labels.csv")
    assert Path(dataset.where).parent == Path("data")


def test_what_is_held_out_of_the_final_training_is_held_out_of_the_choice():
    final, study = {"overrides": {"split": "crossed"}}, {"runs": {"a": {}}}
    assert not read(final, one=study).holds_out
    with pytest.raises(
        InputError, match=r"^experiments\.mine\.splits\.crossed\.held_out_fraction: .*\(crossed, main\)"
    ):
        read(final, {"crossed": {"folds": 5, "held_out_fraction": 0.1}}, one=study)


def test_an_experiment_knows_whether_the_final_model_has_a_part_of_its_own():
    splits = {"main": {"held_out_fraction": 0.1}}
    assert read(None, splits, one={"runs": {"a": {}}}).holds_out
    assert not read(None, splits, one={"runs": {"a": {"split": "crossed"}}}).holds_out


@pytest.mark.parametrize(
    "study", [{"runs": {"a": {}, "b": {"split": "crossed"}}}, {"grid": {"split": ["main", "crossed"]}}]
)
def test_the_final_run_is_not_chosen_from_several_splits(study):
    """The easiest patches would win, not the best model."""
    with pytest.raises(InputError, match=r"^experiments\.mine\.final\.study: .*'one'.*\(crossed, main\)"):
        read({"overrides": {"split": "main"}}, one=study)


def test_the_mean_of_several_networks_is_not_calibrated_by_the_recalibration_of_one():
    final = {"calibrated": True}
    assert read(final, one={"runs": {"a": {}}}).final.calibrated
    with pytest.raises(InputError, match=r"^experiments\.mine\.final\.calibrated: "):
        read(final, one={"runs": {"a": {"split": "crossed"}}})


def test_mean_ranks_are_not_calibrated():
    final = {"calibrated": True, "average": "rank"}
    with pytest.raises(InputError, match=r"^experiments\.mine\.final\.calibrated: .*mean ranks"):
        read(final, one={"runs": {"a": {}}})


SEEDS = {
    f"run{n}": {"lr": lr, "seed": seed}
    for n, (lr, seed) in enumerate([(0.1, 1), (0.1, 3), (0.2, 2), (0.2, 3)])
}


@pytest.mark.input(
    "Configuration", "An ensemble of more runs than the study has", "one line that says how many there are"
)
@pytest.mark.parametrize(
    ("study", "overrides", "count"),
    [
        ({"grid": {"lr": [1e-3, 1e-4, 1e-5]}}, {}, 3),
        ({"grid": {"lr": [1e-3, 1e-4]}, "repeats": 2}, {}, 2),
        ({"grid": {"lr": [1e-3, 1e-4], "seed": [1, 2]}}, {"seed": 5}, 2),
        ({"grid": {"lr": [1e-3, 1e-4], "dropout": [0.1, 0.2]}}, {"dropout": 0.3}, 2),
        # The lowest seed of each represents it, and these two become one final training.
        ({"runs": {"a": {"lr": 1e-3}, "b": {"lr": 1e-4}}, "repeats": 2}, {"lr": 1e-2}, 1),
        ({"runs": SEEDS}, {"lr": 1e-2}, 2),
    ],
)
def test_an_ensemble_has_no_more_members_than_there_are_final_trainings(study, overrides, count):
    assert read({"ensemble": count, "overrides": overrides}, one=study).final.averaging == {
        "members": count,
        "average": "probability",
    }
    with pytest.raises(
        InputError,
        match=rf"^experiments\.mine\.final\.ensemble: {count + 1} runs, .*'one' comes to {count} final",
    ):
        read({"ensemble": count + 1, "overrides": overrides}, one=study)


HALVED = {"grid": {"lr": [1e-3, 1e-4, 1e-5, 1e-6], "epochs": [4]}, "repeats": 2, "halving": {"first": 1}}


def test_a_study_is_halved_by_candidates():
    """Runs that differ in their seed only are one."""
    experiment = read(one=HALVED, two={"runs": {"plain": {"lr": 1e-3, "epochs": 4}}})
    assert experiment.rungs == {"one": {1: 2, 2: 1}, "two": {}}
    assert experiment.whole_folders == {experiment.studies["two"]["plain"].folder}
    candidates = experiment.candidates("one")
    assert len(candidates) == 8
    assert len({run["candidate"] for run in candidates}) == 4
    assert {run["folder"] for run in candidates} == {run.folder for run in experiment.studies["one"].values()}


def test_halving_changes_no_run():
    halved, whole = read(one=HALVED), read(one={**HALVED, "halving": {"first": 3, "keep": 0.2}})
    assert {*halved.runs} == {*whole.runs}


@pytest.mark.input("Configuration", "Halving that cannot compare its runs or saves nothing", "refused")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": {"epochs": [4, 5]}}, r"one\.halving: its runs differ in epochs or split"),
        (
            {"grid": {"split": ["main", "crossed"], "epochs": [4]}},
            r"one\.halving: its runs differ in epochs or",
        ),
        ({"halving": {"first": 4}}, r"one\.halving\.first: 4 is no less than the 4 epochs of its runs"),
    ],
)
def test_a_halving_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(InputError, match=rf"^experiments\.mine\.studies\.{words}"):
        read(one=HALVED | changes)


def test_an_ensemble_has_no_more_members_than_halving_leaves():
    assert read({"ensemble": 1}, one=HALVED)
    with pytest.raises(InputError, match=r"^experiments\.mine\.final\.ensemble: 2 runs, .* 'one' leaves 1"):
        read({"ensemble": 2}, one=HALVED)


def test_other_studies_may_use_other_splits_than_the_one_that_holds_out():
    splits = {"main": {"held_out_fraction": 0.1}}
    studies = {"one": {"runs": {"a": {}}}, "two": {"runs": {"b": {"split": "crossed"}}}}
    assert len(read(None, splits, **studies).runs) == 2


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"one": {"runs": {"both": {"ema": 0.9, "swa": 0.5}}}}, "studies.one.both.swa"),
        (
            {"final": {"overrides": {"start_size": 128}}, "one": {"runs": {"plain": {}}}},
            "final.overrides.start_size",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(sections, place):
    with pytest.raises(InputError, match=rf"^experiments\.mine\.{place}: "):
        read(**sections)
