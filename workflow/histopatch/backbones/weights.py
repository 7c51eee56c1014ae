"""Weights of backbones: state dicts read from files, checked and loaded."""

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from histopatch.errors import InputError


def load_backbone(features: nn.Module, head: str, state: dict[str, Tensor], source: str) -> None:
    """Load a state dict into a backbone whose own classification head is at `head`, and leave that as it is.

    source: where the weights are from, named in the InputError if a weight is missing, unknown, of another
    shape or not finite.
    """
    state = {name: value for name, value in state.items() if not name.startswith(f"{head}.")}
    wanted = {name: v for name, v in features.state_dict().items() if not name.startswith(f"{head}.")}
    # A counter of training steps that files from before torch 0.4.1 lack and nothing here reads.
    missing = [k for k in wanted if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in wanted]
    misshapen = [k for k in state if k in wanted and state[k].shape != wanted[k].shape]
    for names, fault in ((missing, "lacks"), (unknown, "has unknown"), (misshapen, "has another shape for")):
        if names:
            raise InputError(
                f"{source}: {fault} {len(names)} of {len(wanted)} weights of this backbone, "
                f"the first is {names[0]!r}; give weights of the same architecture"
            )
    broken = [k for k in wanted if k in state and not state[k].isfinite().all()]
    if broken:
        raise InputError(
            f"{source}: {len(broken)} of {len(wanted)} weights are not finite, the first is {broken[0]!r}; "
            "the training that they are from diverged, use others"
        )
    features.load_state_dict(state, strict=False)


def read_weights(path: str) -> dict[str, Tensor]:
    """Read a backbone's state dict from a .safetensors, .pth or .pt file.

    The model of a run is such a file, too; its head, made for another task, is left out. Raises InputError
    where the file is missing, broken or something else.
    """
    if not Path(path).is_file():
        raise InputError(f"weights: {path!r} is neither `imagenet`, `none` nor a file")
    try:
        if path.endswith(".safetensors"):
            state = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and safetensors raise all kinds for a broken file
        raise InputError(f"{path}: not a file of weights ({type(error).__name__})") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path}: holds no plain state dict; save `model.state_dict()`")
    if any(name.startswith("features.") for name in state) and "head.1.weight" in state:
        state = {k.removeprefix("features."): v for k, v in state.items() if not k.startswith("head.")}
    return state
