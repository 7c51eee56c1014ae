import dataclasses

import jsonschema
import pytest

from histopatch.schema import (
    augmentation_examples,
    neutral_settings,
    read_schema,
    setting_columns,
    stain_methods,
    without_neutral,
)
from histopatch.settings import Cleaning, Settings, Split

DEFINITIONS = read_schema()["$defs"]
# What each key does nothing at. A value here is never changed, whatever the default becomes: the folder of
# every run that leaves the setting alone depends on it. Keys are only ever added.
NEUTRAL = {
    "settings": {
        "weights": "none",
        "dropout": 0,
        "freeze_backbone": False,
        "weight_decay": 0,
        "scheduler": "none",
        "pos_weight": False,
        "precision": "fp32",
        "deterministic": False,
    },
    "split": {
        "folds": 1,
        "held_out_fraction": 0,
        "group_by": "none",
        "appearance_clusters": 20,
        "unmapped": "stop",
        "keep_duplicates_together": False,
        "on_leak": "warn",
    },
    "cleaning": {"bad_rows": "reject", "bad_images": "reject", "near_blank": "keep"},
}
# The keys that always do something, and that a configuration from before a new key cannot lack.
ALWAYS = {
    "settings": {"backbone", "image_size", "batch_size", "epochs", "lr", "seed", "split"},
    "split": {"validation_fraction", "seed"},
    "cleaning": {"near_blank_std"},
}
CLASSES = {"settings": Settings, "split": Split, "cleaning": Cleaning}


@pytest.mark.parametrize("kind", CLASSES)
def test_neutral_values_are_what_they_have_always_been(kind):
    properties = DEFINITIONS[kind]["properties"]
    assert {key: properties[key]["neutral"] for key in NEUTRAL[kind]} == NEUTRAL[kind]
    always = {key for key, node in properties.items() if "properties" not in node and node["neutral"] is None}
    assert always == ALWAYS[kind], "a new key needs a value at which it does nothing"


def test_operations_of_the_augmentation_are_off_at_neutral():
    operations = DEFINITIONS["settings"]["properties"]["augmentation"]["properties"]
    assert {"flips", "rotation"} <= set(operations)
    for name, node in operations.items():
        assert node["neutral"] in (False, 0), name


def test_every_augmentation_has_a_usual_strength_at_which_it_does_something():
    nodes = DEFINITIONS["settings"]["properties"]["augmentation"]["properties"]
    examples = augmentation_examples()
    assert list(examples) == list(nodes)
    for name, strength in examples.items():
        jsonschema.validate(strength, nodes[name])
        assert strength != nodes[name]["neutral"], name


def test_methods_of_stain_normalisation_are_those_that_do_something():
    assert {"macenko", "reinhard"} <= set(stain_methods())
    assert "none" not in stain_methods()


@pytest.mark.parametrize("kind", CLASSES)
def test_every_key_is_a_field_whose_default_is_neutral(kind):
    properties = DEFINITIONS[kind]["properties"]
    fields = {field.name: field for field in dataclasses.fields(CLASSES[kind])}
    assert set(fields) == set(properties)
    for name, field in fields.items():
        if "properties" in properties[name]:
            assert field.default_factory() == {}
        elif properties[name]["neutral"] is None:
            assert field.default is dataclasses.MISSING, name
        else:
            assert field.default == properties[name]["neutral"], name


@pytest.mark.parametrize("kind", CLASSES)
def test_every_key_has_a_default_a_neutral_value_and_a_description(kind):
    def leaves(node):
        for key, child in node["properties"].items():
            yield from leaves(child) if "properties" in child else [(key, child)]

    for key, node in leaves(DEFINITIONS[kind]):
        assert {"default", "neutral", "description"} <= set(node), key


def test_what_does_something_is_kept_in_order():
    values = {"lr": 0.1, "epochs": 1, "dropout": 0.0, "augmentation": {"rotation": 0.0, "flips": True}}
    kept = without_neutral("settings", values)
    assert kept == {"augmentation": {"flips": True}, "epochs": 1, "lr": 0.1}
    assert list(kept) == sorted(kept)


def test_an_object_of_which_nothing_does_anything_is_left_out():
    assert without_neutral("settings", {"augmentation": {"rotation": 0, "flips": False}}) == {}


def test_neutral_settings_are_nested_as_in_the_configuration():
    neutral = neutral_settings()
    assert neutral["weight_decay"] == 0
    assert neutral["augmentation"]["flips"] is False
    assert "lr" not in neutral
    assert without_neutral("settings", neutral) == {}


def test_every_setting_is_a_column():
    columns = setting_columns()
    assert {"lr", "augmentation.flips", "augmentation.rotation", "split"} <= set(columns)
    assert "augmentation" not in columns
    assert len(set(columns)) == len(columns)
