from dataclasses import fields

import pytest

from histopatch.conflicts import conflict
from histopatch.settings import Settings

PLAIN = {
    "backbone": "resnet18",
    "image_size": 96,
    "batch_size": 8,
    "epochs": 4,
    "lr": 0.1,
    "seed": 1,
    "split": "main",
}


@pytest.mark.input("Configuration", "settings that contradict each other", "one line that names a key")
@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"ema": 0.9, "swa": 0.5}, "swa"),
        ({"patience": 2, "swa": 0.5}, "swa"),
        ({"start_size": 128}, "start_size"),
        ({"start_size": 64, "epochs": 1}, "start_size"),
        ({"unfreeze_epochs": 4}, "unfreeze_epochs"),
        ({"pos_weight": True, "balance": "class"}, "pos_weight"),
        ({"warmup": 0.1, "scheduler": "one_cycle"}, "warmup"),
        ({"pos_weight": True, "balance": "class_and_slide"}, "pos_weight"),
        ({"freeze_backbone": True, "unfreeze_epochs": 1}, "unfreeze_epochs"),
        ({"freeze_backbone": True, "layer_decay": 0.5}, "layer_decay"),
        ({"gpus": 3}, "batch_size"),
        ({"gpus": 8}, "batch_size"),
    ],
)
def test_what_contradicts_itself_names_the_key(changes, key):
    message = conflict(Settings(**PLAIN | changes))
    assert message.startswith(f"{key}: ")
    assert "\n" not in message
    for name in changes:  # each by itself is fine, unless the other is what it contradicts
        alone = conflict(Settings(**PLAIN | {name: changes[name]}))
        assert not alone or len(changes) == 1


HEAD = {"freeze_backbone": True, "feature_head": "linear"}


@pytest.mark.input(
    "Configuration",
    "settings that do nothing with a head on banked features",
    "refused, save `lr`, `batch_size` and `epochs`, which every run has and a regression ignores",
)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"freeze_backbone": False},
            "feature_head: reads features that are computed once; set freeze_backbone",
        ),
        (
            {"augmentation": {"flips": True}},
            "augmentation.flips: feature_head sees patches as they are; set it to false",
        ),
        (
            {"augmentation": {"rotation": 90.0}},
            "augmentation.rotation: feature_head sees patches as they are; set it to 0.0",
        ),
        ({"tta": True}, "tta: does nothing with `feature_head: linear`; set `tta: false`"),
        ({"start_size": 64}, "start_size: does nothing with `feature_head: linear`; set `start_size: 0`"),
        ({"gpus": 2}, "gpus: does nothing with `feature_head: linear`; set `gpus: 1`"),
        (
            {"feature_head": "logistic_regression", "dropout": 0.2},
            "dropout: does nothing with `feature_head: log",
        ),
        (
            {"feature_head": "logistic_regression", "scheduler": "cosine", "dropout": 0.2},
            "dropout: does nothing with `feature_head: logistic_regression`, nor do others: set "
            "`dropout: 0.0`, `scheduler: none`",
        ),
    ],
)
def test_a_head_on_features_refuses_what_it_does_not_use(changes, told):
    assert conflict(Settings(**PLAIN | HEAD)) == ""
    assert conflict(Settings(**PLAIN | HEAD | changes)).startswith(told)


def test_nothing_that_is_at_neutral_contradicts_anything():
    assert conflict(Settings(**PLAIN)) == ""
    assert {field.name for field in fields(Settings)} > {"ema", "swa", "patience", "start_size"}
