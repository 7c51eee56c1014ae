import os
import subprocess
import sys

import pytest

from histopatch import runs
from histopatch.errors import InputError
from histopatch.fingerprints import LIBRARY

DEFAULTS = {
    "backbone": "resnet18",
    "image_size": 96,
    "lr": 3e-4,
    "dropout": 0.2,
    "epochs": 1,
    "seed": 42,
    "split": "main",
    "augmentation": {"flips": True, "rotation": 90.0},
}

SPLITS = {"main": 1, "crossed": 5}  # by name, the folds


def experiment(final: dict | None = None, **studies) -> dict:
    """An experiment as `config.load` returns it, as far as runs are concerned."""
    return {
        "defaults": DEFAULTS,
        "splits": {name: {"folds": folds, "held_out_fraction": 0} for name, folds in SPLITS.items()},
        "studies": {name: {"disabled": [], "repeats": 1, **study} for name, study in studies.items()},
        "final": {"overrides": {}, "calibrated": False, **(final or {})},
    }


def test_overrides_lie_over_defaults_key_by_key():
    settings = runs.resolve(DEFAULTS, {"lr": 1e-3, "augmentation": {"rotation": 10.0}}, {"lr": 1e-2}).settings
    assert settings == DEFAULTS | {"lr": 1e-2, "augmentation": {"flips": True, "rotation": 10.0}}


def test_resolving_leaves_the_defaults_as_they_are():
    runs.resolve(DEFAULTS, {"augmentation": {"rotation": 10.0}}).settings["augmentation"]["flips"] = "?"
    runs.resolve(DEFAULTS).settings["augmentation"]["flips"] = "?"
    assert DEFAULTS["augmentation"] == {"flips": True, "rotation": 90.0}


def test_settings_are_sorted_at_every_depth():
    settings = runs.resolve({"z": 1, "a": {"y": 1, "b": {"x": 1, "c": 1}}}).settings
    assert list(settings) == ["a", "z"]
    assert list(settings["a"]) == ["b", "y"]
    assert list(settings["a"]["b"]) == ["c", "x"]


def test_the_order_of_keys_does_not_matter():
    shuffled = dict(reversed(DEFAULTS.items())) | {"augmentation": {"rotation": 90.0, "flips": True}}
    assert list(shuffled) != list(DEFAULTS)
    assert runs.resolve(shuffled).folder == runs.resolve(DEFAULTS).folder


def test_an_override_that_says_what_the_defaults_say_changes_nothing():
    same = runs.resolve(DEFAULTS, {"lr": 0.0003, "augmentation": {"flips": True}})
    assert same.folder == runs.resolve(DEFAULTS).folder


@pytest.mark.parametrize(
    "override", [{"lr": 1e-4}, {"epochs": 2}, {"augmentation": {"rotation": 0.0}}, {"new": None}]
)
def test_any_other_setting_gives_another_folder(override):
    assert runs.resolve(DEFAULTS, override).folder != runs.resolve(DEFAULTS).folder


def test_two_values_swapped_give_another_folder():
    one, other = {"lr": 0.1, "dropout": 0.2}, {"lr": 0.2, "dropout": 0.1}
    assert runs.resolve(DEFAULTS, one).folder != runs.resolve(DEFAULTS, other).folder


def test_the_folder_says_backbone_and_size():
    folder = runs.resolve(DEFAULTS, {"backbone": "efficientnet_b0", "image_size": 224}).folder
    slug, _, digest = folder.rpartition("-")
    assert slug == "efficientnet_b0-224px"
    assert len(digest) == 10
    assert int(digest, 16) >= 0


def test_the_folder_is_the_same_in_every_process():
    """Results are found again tomorrow, so the digest may hang on nothing but the settings."""
    command = f"from histopatch import runs; print(runs.resolve({DEFAULTS!r}).folder)"
    environment = os.environ | {"PYTHONPATH": str(LIBRARY.parent), "PYTHONHASHSEED": "1"}
    there = subprocess.check_output([sys.executable, "-c", command], env=environment, text=True)
    assert there.strip() == runs.resolve(DEFAULTS).folder


def test_runs_of_a_study_are_named_as_given():
    study = runs.study_runs(experiment(one={"runs": {"plain": {}, "fast": {"lr": 1e-2}}}), "one")
    assert list(study) == ["plain", "fast"]
    assert study["plain"].settings == DEFAULTS
    assert study["fast"].settings == DEFAULTS | {"lr": 1e-2}


def test_the_name_of_a_run_is_no_part_of_it():
    named = [runs.study_runs(experiment(one={"runs": {name: {}}}), "one")[name] for name in ("a", "b")]
    assert named[0].folder == named[1].folder


def test_a_grid_is_every_combination_and_names_what_varies():
    grid = {"lr": [1e-4, 3e-4], "dropout": [0.2, 0.3], "epochs": [2]}
    study = runs.study_runs(experiment(one={"grid": grid}), "one")
    assert {name: (r.settings["lr"], r.settings["dropout"]) for name, r in study.items()} == {
        "lr=0.0001,dropout=0.2": (1e-4, 0.2),
        "lr=0.0001,dropout=0.3": (1e-4, 0.3),
        "lr=0.0003,dropout=0.2": (3e-4, 0.2),
        "lr=0.0003,dropout=0.3": (3e-4, 0.3),
    }
    assert {run.settings["epochs"] for run in study.values()} == {2}


@pytest.mark.parametrize(
    ("grid", "names"),
    [
        ({"epochs": [2]}, ["epochs=2"]),  # nothing varies, but a name there must be
        ({"pos_weight": [True, False]}, ["pos_weight=true", "pos_weight=false"]),
        ({"backbone": ["resnet18", "b0"]}, ["backbone=resnet18", "backbone=b0"]),
        ({"lr": [1e-5, 0.5]}, ["lr=1e-05", "lr=0.5"]),
    ],
)
def test_combinations_are_named_plainly(grid, names):
    assert list(runs.study_runs(experiment(one={"grid": grid}), "one")) == names


def test_close_values_of_a_grid_are_two_runs():
    grid = {"lr": [0.00012345671, 0.00012345672]}
    assert len(runs.study_runs(experiment(one={"grid": grid}), "one")) == 2


def test_a_study_may_have_runs_and_a_grid():
    study = runs.study_runs(experiment(one={"runs": {"long": {"epochs": 9}}, "grid": {"lr": [1e-4]}}), "one")
    assert list(study) == ["long", "lr=0.0001"]


def test_disabled_runs_are_left_out():
    config = experiment(one={"runs": {"a": {}, "b": {"lr": 1e-2}}, "disabled": ["a"]}, final={"study": "one"})
    assert list(runs.study_runs(config, "one")) == ["b"]
    assert [run.settings["lr"] for run in runs.all_runs(config).values()] == [1e-2]


def test_a_study_without_an_enabled_run_is_refused():
    config = experiment(one={"runs": {"a": {}}, "disabled": ["a"]})
    with pytest.raises(InputError, match=r"^studies\.one: every run is disabled"):
        runs.study_runs(config, "one")


@pytest.mark.parametrize(
    "study",
    [
        {"runs": {"plain": {}, "again": {"lr": 3e-4}}},
        {"runs": {"plain": {}}, "grid": {"lr": [3e-4]}},
    ],
)
def test_two_names_for_the_same_settings_in_one_study_are_refused(study):
    with pytest.raises(InputError, match=r"^studies\.one: 'plain' and .* have the same settings"):
        runs.study_runs(experiment(one=study), "one")


def test_the_same_run_in_two_studies_has_one_folder():
    config = experiment(
        one={"runs": {"plain": {}, "fast": {"lr": 1e-2}}},
        two={"grid": {"lr": [3e-4, 1e-3]}},
        final={"study": "two"},
    )
    one, two = runs.study_runs(config, "one"), runs.study_runs(config, "two")
    assert one["plain"].folder == two["lr=0.0003"].folder
    every = runs.all_runs(config)
    assert sorted(run.settings["lr"] for run in every.values()) == [3e-4, 1e-3, 1e-2]
    assert all(run.folder == folder for folder, run in every.items())


def test_every_run_that_the_final_training_could_become_is_there():
    config = experiment(
        one={"runs": {"plain": {}}},
        two={"grid": {"lr": [1e-4, 1e-3]}},
        final={"study": "two", "overrides": {"epochs": 3}},
    )
    finals = runs.final_runs(config)
    candidates = {run.folder: run for run in runs.study_runs(config, "two").values()}
    assert set(finals) == set(candidates)
    for folder, run in finals.items():
        assert run.settings == candidates[folder].settings | {"epochs": 3}
    expected = {runs.resolve(DEFAULTS).folder, *candidates, *(run.folder for run in finals.values())}
    assert set(runs.all_runs(config)) == expected


def test_a_final_training_without_overrides_is_the_run_that_won():
    config = experiment(one={"runs": {"plain": {}}}, final={"study": "one"})
    assert all(run.folder == folder for folder, run in runs.final_runs(config).items())
    assert len(runs.all_runs(config)) == 1


def test_repeats_are_the_run_and_itself_with_the_next_seeds():
    study = {"runs": {"plain": {}, "late": {"seed": 7}}, "grid": {"lr": [1e-4, 1e-3]}, "repeats": 3}
    found = runs.study_runs(experiment(one=study), "one")
    names = ["plain", "late", "lr=0.0001", "lr=0.001"]
    assert [*found] == [
        again
        for name in names
        for first in [7 if name == "late" else 42]
        for again in (name, f"{name},seed={first + 1}", f"{name},seed={first + 2}")
    ]
    once = runs.study_runs(experiment(one=study | {"repeats": 1}), "one")
    for name in names:  # what was trained before is still there
        assert found[name] == once[name]
    again = found["lr=0.001,seed=44"].settings
    assert again == once["lr=0.001"].settings | {"seed": 44}


def test_repeats_that_a_grid_over_seeds_has_already_are_refused():
    study = {"grid": {"seed": [42, 43]}, "repeats": 2}
    with pytest.raises(InputError, match="have the same settings"):
        runs.study_runs(experiment(one=study), "one")


def test_a_run_is_trained_once_for_each_fold_of_its_split():
    config = experiment(one={"runs": {"plain": {}, "crossed": {"split": "crossed"}}})
    found = runs.study_runs(config, "one")
    assert [runs.fold_count(config, run) for run in found.values()] == [1, 5]


def test_what_is_held_out_of_the_final_training_is_held_out_of_the_choice():
    config = experiment(one={"runs": {"a": {}}}, final={"study": "one", "overrides": {"split": "crossed"}})
    assert runs.final_runs(config)  # nothing is held out
    config["splits"]["crossed"]["held_out_fraction"] = 0.1
    with pytest.raises(InputError, match=r"^splits\.crossed\.held_out_fraction: .*\(crossed, main\)"):
        runs.final_runs(config)


@pytest.mark.parametrize(
    "study", [{"runs": {"a": {}, "b": {"split": "crossed"}}}, {"grid": {"split": ["main", "crossed"]}}]
)
def test_the_final_run_is_not_chosen_from_several_splits(study):
    """The easiest patches would win, not the best model."""
    config = experiment(one=study, final={"study": "one", "overrides": {"split": "main"}})
    with pytest.raises(InputError, match=r"^final\.study: .*'one'.*\(crossed, main\)"):
        runs.final_runs(config)


def test_the_mean_of_several_networks_is_not_calibrated_by_the_temperature_of_one():
    final = {"study": "one", "calibrated": True}
    assert runs.final_runs(experiment(one={"runs": {"a": {}}}, final=final))
    with pytest.raises(InputError, match=r"^final\.calibrated: "):
        runs.final_runs(experiment(one={"runs": {"a": {"split": "crossed"}}}, final=final))


def test_other_studies_may_use_other_splits_than_the_one_that_holds_out():
    config = experiment(
        one={"runs": {"a": {}}}, two={"runs": {"b": {"split": "crossed"}}}, final={"study": "one"}
    )
    config["splits"]["main"]["held_out_fraction"] = 0.1
    assert len(runs.all_runs(config)) == 2
