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
        ({"freeze_backbone": True, "unfreeze_epochs": 1}, "unfreeze_epochs"),
        ({"freeze_backbone": True, "layer_decay": 0.5}, "layer_decay"),
    ],
)
def test_what_contradicts_itself_names_the_key(changes, key):
    message = conflict(Settings(**PLAIN | changes))
    assert message.startswith(f"{key}: ")
    assert "\n" not in message
    for name in changes:  # each by itself is fine, unless the other is what it contradicts
        alone = conflict(Settings(**PLAIN | {name: changes[name]}))
        assert not alone or len(changes) == 1


def test_nothing_that_is_at_neutral_contradicts_anything():
    assert conflict(Settings(**PLAIN)) == ""
    assert {field.name for field in fields(Settings)} > {"ema", "swa", "patience", "start_size"}
