"""Weights of backbones: state dicts read from files, checked and loaded."""

import warnings
from collections import Counter
from collections.abc import Collection
from pickle import UnpicklingError

import safetensors.torch
import torch
from torch import Tensor, nn

from histopatch.backbones.initial import check_initial, is_safetensors
from histopatch.errors import InputError, RunError

# Where checkpoints of trainings keep the state dict, beside an optimiser, an epoch and so on.
WRAPPERS = ("state_dict", "model_state_dict", "model")
CODE = "holds objects with code of their own, which is not run; save `model.state_dict()` or safetensors"


def load_backbone(features: nn.Module, head: str, state: dict[str, Tensor], source: str) -> None:
    """Load a state dict into a backbone whose own classification head is at `head`, and leave that as it is.

    source: where the weights are from, named in the InputError if a weight is missing, unknown, of another
    shape or no number.
    """
    wanted = {name: v for name, v in features.state_dict().items() if not name.startswith(f"{head}.")}
    state = _part(state, wanted, source)
    state = {name: value for name, value in state.items() if not name.startswith(f"{head}.")}
    # A counter of training steps that files from before torch 0.4.1 lack and nothing here reads.
    missing = [k for k in wanted if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in wanted]
    misshapen = [k for k in state if k in wanted and state[k].shape != wanted[k].shape]
    for names, fault in ((missing, "lacks"), (unknown, "has unknown"), (misshapen, "has another shape for")):
        if names:
            raise RunError(
                f"{source}: {fault} {len(names)} of {len(wanted)} weights of this backbone, the first is "
                f"{names[0]!r}{_shapes(state, wanted, names[0])}; give weights of the same architecture"
            )
    for name, value in state.items():
        if wanted[name].is_floating_point():
            state[name] = _float32(value, name, source)
    features.load_state_dict(state, strict=False)


def read_weights(path: str) -> dict[str, Tensor]:
    """Read a backbone's state dict from a file of safetensors or of `torch.save`, whatever its suffix.

    The model of a run is such a file, too; its head, made for another task, is left out. Code in a file is
    never run. Raises InputError where the file is missing, broken or something else.
    """
    check_initial(path)
    return _state_dict(_load(path), path)


def _part(state: dict[str, Tensor], wanted: Collection[str], source: str) -> dict[str, Tensor]:
    """The weights of a backbone out of those of a network that it is a part of.

    The part has a prefix: `module.` in a network that ran in parallel, `_orig_mod.` in a compiled one, or the
    name of an attribute, such as `model.` or `encoder.`. Where no prefix is in front of most of the names
    that are wanted, all weights are returned as they are.
    """
    counts: Counter[str] = Counter()
    for name in state:
        parts = name.split(".")
        for depth in range(len(parts)):
            counts[".".join([*parts[:depth], ""])] += ".".join(parts[depth:]) in wanted
    prefixes = [prefix for prefix, count in counts.items() if count > len(wanted) / 2]
    if len(prefixes) > 1:
        raise InputError(
            f"{source}: holds this backbone {len(prefixes)} times, as {' and '.join(map(repr, prefixes))}; "
            "save the state dict of the one that is meant"
        )
    if prefixes in ([], [""]):
        return state
    return {k.removeprefix(prefixes[0]): v for k, v in state.items() if k.startswith(prefixes[0])}


def _load(path: str):
    """What a file holds. Raises InputError that says what it is instead."""
    with open(path, "rb") as file:
        start = file.read(64)
    try:
        if is_safetensors(start):
            return safetensors.torch.load_file(path)
        with warnings.catch_warnings(action="ignore"), open(path, "rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)  # a path it judges by its suffix
    except Exception as error:  # pickle, zip and safetensors raise all kinds for a broken file
        raise InputError(f"{path}: not a file of weights ({_reason(start, error)})") from None


def _reason(start: bytes, error: Exception) -> str:
    """Why a file that looks like one of weights could not be read."""
    if "GLOBAL" in str(error) or "TorchScript" in str(error):
        return CODE
    if start.startswith(b"\x80") and isinstance(error, UnpicklingError):
        return CODE
    return f"it is damaged or cut off, {type(error).__name__}; fetch it again"


def _state_dict(content, path: str) -> dict[str, Tensor]:
    """The one state dict in what a file holds."""
    if isinstance(content, dict) and not _is_state_dict(content):
        found = [key for key in WRAPPERS if isinstance(content.get(key), dict)]
        if len(found) > 1:
            raise InputError(f"{path}: holds {' and '.join(found)}; save the state dict that is meant alone")
        content = content[found[0]] if found else content
    if not _is_state_dict(content):
        raise InputError(f"{path}: holds no plain state dict; save `model.state_dict()`")
    return content


def _is_state_dict(content) -> bool:
    return (
        isinstance(content, dict)
        and all(isinstance(name, str) for name in content)
        and all(isinstance(value, Tensor) for value in content.values())
    )


def _shapes(state: dict[str, Tensor], wanted: dict[str, Tensor], name: str) -> str:
    """The shapes of a weight in the file and in the backbone, where both have it."""
    if name not in state or name not in wanted:
        return ""
    given, needed = ("×".join(map(str, values[name].shape)) for values in (state, wanted))
    return f" ({given}, not {needed})"


def _float32(value: Tensor, name: str, source: str) -> Tensor:
    """A weight in the precision of the networks here. Raises InputError where it is no finite number."""
    if not value.is_floating_point() or value.is_quantized or value.is_meta or value.layout != torch.strided:
        kind = str(value.dtype).removeprefix("torch.")
        raise RunError(f"{source}: the weight {name!r} is no plain float ({kind}); give float weights")
    value = value.float()
    if not value.isfinite().all():
        raise RunError(
            f"{source}: the weight {name!r} has NaN or infinite values as float32; give finite weights"
        )
    return value
