import os
import subprocess
import sys

import pytest

from histopatch import components, schema
from histopatch.backbones.catalogue import BACKBONES
from histopatch.settings import Settings

SETTINGS = {"image_size": 96, "batch_size": 8, "epochs": 1, "lr": 1e-3, "seed": 0, "split": "main"}


def test_the_configuration_knows_the_same_backbones():
    names = schema.read_schema()["$defs"]["settings"]["properties"]["backbone"]["anyOf"][0]["enum"]
    assert names == list(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_has_a_source_that_creates_it_and_fetches_its_weights(name):
    source = components.load(components.backbone(Settings(backbone=name, **SETTINGS)))
    assert callable(source.create)
    assert callable(source.imagenet_weights)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_layer_to_explain_is_there(name):
    backbone = BACKBONES[name]
    network = components.load(f"backbones.{backbone.source}").create(backbone.architecture)
    assert network.get_submodule(backbone.explained_layer)
    assert getattr(network, backbone.head)


def test_a_training_declares_its_own_backbone_alone():
    declared = {name: components.declared(Settings(backbone=name, **SETTINGS)) for name in BACKBONES}
    assert len(set(declared.values())) == len(BACKBONES)
    assert "resnet18" in declared["resnet18"]
    assert "lite" not in declared["resnet18"]


def test_what_is_at_its_default_is_not_declared():
    """So a field that is added to the catalogue retrains nothing."""
    declared = components.declared(Settings(backbone="resnet18", **SETTINGS))
    assert "layer4" in declared
    assert "max_size" not in declared


def test_the_catalogue_imports_no_framework():
    code = "import sys, histopatch.components; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(schema.PATH.parents[1])}
    loaded = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).split()
    assert not {"torch", "torchvision", "timm"} & set(loaded)
