import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from histopatch import schema
from histopatch.backbones.build import rebuild
from histopatch.backbones.catalogue import BACKBONES


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_gives_one_logit_a_patch(make, backbone):
    model = make(backbone=backbone)
    logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2,)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.head[-1].out_features == 1


def test_a_seed_draws_a_model(make, same):
    assert same(make().state_dict(), make().state_dict())


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0"])
def test_a_classifier_is_rebuilt_from_its_description_alone(make, same, monkeypatch, name):
    trained = make(backbone=name, dropout=0.4, freeze_backbone=True)
    description = json.loads(json.dumps(trained.description()))
    for known in list(BACKBONES):
        monkeypatch.delitem(BACKBONES, known)
    rebuilt = rebuild(description)
    rebuilt.load_state_dict(trained.state_dict())
    assert rebuilt.backbone == trained.backbone
    assert rebuilt.description() == trained.description()
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(rebuilt.eval()(images), trained.eval()(images))


def test_a_description_from_before_a_field_is_understood(make):
    """Models outlive the version that trained them."""
    trained = make()
    older = {name: value for name, value in trained.description().items() if name != "max_size"}
    assert rebuild(older).description() == trained.description()


def test_one_source_does_not_import_the_other():
    """timm takes seconds to import, and an edit of one source is none of the other's models."""
    code = (
        "import sys\nfrom histopatch.backbones import torchvision\n"
        "assert 'timm' not in sys.modules and 'histopatch.backbones.lite' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": str(schema.PATH.parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize(
    ("low", "high", "size", "told"),
    [(48, None, 32, "takes at least 48 px, not 32"), (16, 24, 32, "takes 16 to 24 px, not 32")],
)
def test_an_image_size_that_the_backbone_does_not_take_is_one_line(fault, monkeypatch, low, high, size, told):
    limited = replace(BACKBONES["resnet18"], min_size=low, max_size=high)
    monkeypatch.setitem(BACKBONES, "resnet18", limited)
    assert fault(image_size=size) == f"image_size: resnet18 {told}; change image_size or backbone"
