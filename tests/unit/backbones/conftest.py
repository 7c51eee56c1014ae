"""The settings of a small classifier, and ways to build it."""

from dataclasses import replace

import pytest
import torch
import torchvision

from histopatch.backbones.build import build
from histopatch.backbones.classifier import Classifier
from histopatch.errors import InputError
from histopatch.settings import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings(
        backbone="resnet18", image_size=32, batch_size=8, epochs=2, lr=1e-2, seed=3, split="main", dropout=0.2
    )


@pytest.fixture
def make(settings):
    """Build a classifier from a seed, with some settings changed."""

    def make(**changes) -> Classifier:
        torch.manual_seed(0)
        return build(replace(settings, **changes))

    return make


@pytest.fixture
def fault(settings):
    """The one line that says why a classifier cannot be built."""

    def fault(**changes) -> str:
        with pytest.raises(InputError) as caught:
            build(replace(settings, **changes))
        message = str(caught.value)
        assert "\n" not in message
        return message

    return fault


@pytest.fixture
def same():
    """Whether two state dicts hold the same."""

    def same(one: dict, other: dict) -> bool:
        return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)

    return same


@pytest.fixture
def resnet_state() -> dict:
    """Weights as torchvision's users save them, the head included."""
    torch.manual_seed(1)
    return torchvision.models.resnet18().state_dict()
