"""What is kept of a trained network: its weights, and the libraries that it was made with."""

from importlib.metadata import version
from pathlib import Path

import safetensors.torch
import torch

from histopatch.files import replacing

LIBRARIES = ("torch", "torchvision", "timm", "numpy", "pandas")


def save_model(state: dict[str, torch.Tensor], path: Path) -> None:
    """Write weights as safetensors, in the plain layout that every reader takes."""
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    with replacing(path) as temporary:
        # `save_file` would make a file that the group cannot read, whatever the umask says.
        temporary.write_bytes(safetensors.torch.save(state))


def library_versions() -> dict[str, str]:
    """The versions of the libraries that a network may have been made with."""
    return {name: version(name) for name in LIBRARIES}
