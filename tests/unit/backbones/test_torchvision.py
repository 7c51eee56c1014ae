import email.message
import io
import socket
from pathlib import Path

import pytest
import torch
import torchvision

from histopatch.backbones.catalogue import BACKBONES as ALL

BACKBONES = {name: backbone for name, backbone in ALL.items() if backbone.source == "torchvision"}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_inputs_are_normalised_as_torchvisions_weights_expect(backbone):
    expected = torchvision.models.get_model_weights(backbone).IMAGENET1K_V1.transforms()
    assert BACKBONES[backbone].mean == tuple(expected.mean)
    assert BACKBONES[backbone].std == tuple(expected.std)


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


@pytest.mark.parametrize("backbone", BACKBONES)
def test_weights_that_cannot_be_fetched_are_one_line_that_says_what_to_do(fault, torch_home, backbone):
    message = fault(backbone=backbone, weights="imagenet")
    assert message.startswith(f"weights: the ImageNet weights of {backbone} could not be fetched")
    assert f"into {torch_home}" in message
    assert f"put {backbone}_" in message or f"put {backbone}-" in message


@pytest.fixture
def downloaded(torch_home):
    url = torchvision.models.get_model_weights("resnet18").IMAGENET1K_V1.url
    return torch_home / url.rpartition("/")[2]


def test_weights_that_were_fetched_before_are_taken(make, same, downloaded, resnet_state):
    torch.save(resnet_state, downloaded)
    model = make(weights="imagenet")
    expected = {name: value for name, value in resnet_state.items() if not name.startswith("fc.")}
    assert same(model.features.state_dict(), expected)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 half a zip"])
def test_a_broken_download_is_one_line(fault, downloaded, content):
    downloaded.write_bytes(content)
    assert "ImageNet weights of resnet18" in fault(weights="imagenet")


@pytest.mark.input("Weights", "a download whose content is not what was published", "refused")
def test_a_download_is_checked_by_its_hash(fault, downloaded, resnet_state, monkeypatch):
    content = io.BytesIO()
    torch.save(resnet_state, content)
    content.seek(0)
    content.info = email.message.Message  # without a length
    monkeypatch.setattr(torch.hub, "urlopen", lambda request: content)
    assert "invalid hash value" in fault(weights="imagenet")
    assert not downloaded.exists()


class Code:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_download_is_not_run(fault, downloaded, tmp_path):
    torch.save({"fc.bias": Code(tmp_path / "ran")}, downloaded)
    assert "ImageNet weights of resnet18 could not be fetched" in fault(weights="imagenet")
    assert not (tmp_path / "ran").exists()
