"""Backbones of torchvision, whose ImageNet weights are downloaded and kept by torch."""

from pathlib import Path
from pickle import UnpicklingError

import torch
import torchvision
from torch import Tensor, nn

from histopatch.errors import InputError


def create(architecture: str) -> nn.Module:
    """A network of torchvision with random weights."""
    return torchvision.models.get_model(architecture)


def imagenet_weights(architecture: str) -> dict[str, Tensor]:
    """The first weights that torchvision published, downloaded where they are not here yet."""
    weights = torchvision.models.get_model_weights(architecture).IMAGENET1K_V1
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:  # no network; a broken file
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"weights: the ImageNet weights of {architecture} could not be fetched ({reason}); go online, "
            f"or put {Path(weights.url).name} into {folder}, or set `weights` to a file or `none`"
        ) from None
