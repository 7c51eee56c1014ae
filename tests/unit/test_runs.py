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
    "batch_size": 64,
    "lr": 3e-4,
    "dropout": 0.2,
    "epochs": 1,
    "seed": 42,
    "split": "main",
    "augmentation": {"flips": True, "rotation": 90.0},
}


def unfold(**study) -> dict[str, runs.Run]:
    """The runs of one study, which has the keys that are given."""
    return runs.unfold("one", {"disabled": [], "repeats": 1, **study}, DEFAULTS)


def test_overrides_lie_over_defaults_key_by_key():
    settings = runs.resolve(DEFAULTS, {"lr": 1e-3, "augmentation": {"rotation": 10.0}}, {"lr": 1e-2}).identity
    assert settings == DEFAULTS | {"lr": 1e-2, "augmentation": {"flips": True, "rotation": 10.0}}


def test_resolving_leaves_the_defaults_as_they_are():
    runs.resolve(DEFAULTS, {"augmentation": {"rotation": 10.0}}).identity["augmentation"]["flips"] = "?"
    runs.resolve(DEFAULTS).identity["augmentation"]["flips"] = "?"
    assert DEFAULTS["augmentation"] == {"flips": True, "rotation": 90.0}


def test_settings_are_sorted_at_every_depth():
    settings = runs.resolve({"z": 1, "a": {"y": 1, "b": {"x": 1, "c": 1}}}).identity
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


def test_a_setting_at_its_neutral_value_is_as_if_it_were_not_there():
    """So a setting that is added tomorrow moves no run of today."""
    unaugmented = {"augmentation": {"flips": False, "rotation": 0.0}}
    neutral = {"weight_decay": 0.0, "scheduler": "none", "pos_weight": False, **unaugmented}
    without = {key: value for key, value in DEFAULTS.items() if key != "augmentation"}
    assert runs.resolve(DEFAULTS, neutral).folder == runs.resolve(without).folder
    assert runs.resolve(DEFAULTS, neutral).settings == runs.resolve(without).settings


def test_an_override_may_take_a_setting_back_to_neutral():
    assert "dropout" not in runs.resolve(DEFAULTS, {"dropout": 0.0}).identity
    assert runs.resolve(DEFAULTS, {"dropout": 0.0}).settings.dropout == 0


def test_settings_are_what_the_identity_says_and_neutral_elsewhere():
    settings = runs.resolve(DEFAULTS).settings
    assert (settings.lr, settings.augmentation["rotation"]) == (3e-4, 90.0)
    assert (settings.weights, settings.precision, settings.pos_weight) == ("none", "fp32", False)


def test_two_values_swapped_give_another_folder():
    one, other = {"lr": 0.1, "dropout": 0.2}, {"lr": 0.2, "dropout": 0.1}
    assert runs.resolve(DEFAULTS, one).folder != runs.resolve(DEFAULTS, other).folder


@pytest.mark.parametrize(
    ("backbone", "slug"),
    [
        ("timm/convnext_tiny.fb_in22k", "timm-convnext_tiny-fb_in22k"),
        ("timm/hf-hub:MahmoodLab/UNI2-h", "timm-hf-hub-MahmoodLab-UNI2-h"),
    ],
)
def test_the_folder_of_any_backbone_is_one_plain_name(backbone, slug):
    folder = runs.resolve(DEFAULTS, {"backbone": backbone}).folder
    assert folder.startswith(f"{slug}-{DEFAULTS['image_size']}px-")


def test_backbones_whose_names_differ_in_a_dot_alone_have_two_folders():
    names = ("timm/a.b", "timm/a_b", "timm/a-b")
    assert len({runs.resolve(DEFAULTS, {"backbone": name}).folder for name in names}) == 3


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
    study = unfold(runs={"plain": {}, "fast": {"lr": 1e-2}})
    assert list(study) == ["plain", "fast"]
    assert study["plain"].identity == DEFAULTS
    assert study["fast"].identity == DEFAULTS | {"lr": 1e-2}


def test_the_name_of_a_run_is_no_part_of_it():
    named = [unfold(runs={name: {}})[name] for name in ("a", "b")]
    assert named[0].folder == named[1].folder


def test_a_grid_is_every_combination_and_names_what_varies():
    grid = {"lr": [1e-4, 3e-4], "dropout": [0.2, 0.3], "epochs": [2]}
    study = unfold(grid=grid)
    assert {name: (r.settings.lr, r.settings.dropout) for name, r in study.items()} == {
        "lr=0.0001,dropout=0.2": (1e-4, 0.2),
        "lr=0.0001,dropout=0.3": (1e-4, 0.3),
        "lr=0.0003,dropout=0.2": (3e-4, 0.2),
        "lr=0.0003,dropout=0.3": (3e-4, 0.3),
    }
    assert {run.settings.epochs for run in study.values()} == {2}


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
    assert list(unfold(grid=grid)) == names


def test_close_values_of_a_grid_are_two_runs():
    grid = {"lr": [0.00012345671, 0.00012345672]}
    assert len(unfold(grid=grid)) == 2


def test_a_study_may_have_runs_and_a_grid():
    study = unfold(runs={"long": {"epochs": 9}}, grid={"lr": [1e-4]})
    assert list(study) == ["long", "lr=0.0001"]


def test_disabled_runs_are_left_out():
    assert list(unfold(runs={"a": {}, "b": {"lr": 1e-2}}, disabled=["a"])) == ["b"]


def test_a_study_without_an_enabled_run_is_refused():
    with pytest.raises(InputError, match=r"^studies\.one: every run is disabled"):
        unfold(runs={"a": {}}, disabled=["a"])


@pytest.mark.parametrize(
    "study",
    [
        {"runs": {"plain": {}, "again": {"lr": 3e-4}}},
        {"runs": {"plain": {}}, "grid": {"lr": [3e-4]}},
    ],
)
def test_two_names_for_the_same_settings_in_one_study_are_refused(study):
    with pytest.raises(InputError, match=r"^studies\.one: 'plain' and .* have the same settings"):
        unfold(**study)


def test_repeats_are_the_run_and_itself_with_the_next_seeds():
    study = {"runs": {"plain": {}, "late": {"seed": 7}}, "grid": {"lr": [1e-4, 1e-3]}, "repeats": 3}
    found = unfold(**study)
    names = ["plain", "late", "lr=0.0001", "lr=0.001"]
    assert [*found] == [
        again
        for name in names
        for first in [7 if name == "late" else 42]
        for again in (name, f"{name},seed={first + 1}", f"{name},seed={first + 2}")
    ]
    once = unfold(**study | {"repeats": 1})
    for name in names:  # what was trained before is still there
        assert found[name] == once[name]
    again = found["lr=0.001,seed=44"].identity
    assert again == once["lr=0.001"].identity | {"seed": 44}


def test_repeats_that_a_grid_over_seeds_has_already_are_refused():
    study = {"grid": {"seed": [42, 43]}, "repeats": 2}
    with pytest.raises(InputError, match="have the same settings"):
        unfold(**study)
