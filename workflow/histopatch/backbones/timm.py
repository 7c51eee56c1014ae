"""Any network of timm by its name, of the kinds that timm has itself and of those on the Hugging Face hub.

What a network expects of its input is said by its own configuration.
"""

import difflib
from collections.abc import Iterable
from dataclasses import replace

import timm
import torch
from torch import Tensor, nn

from histopatch.backbones.catalogue import HUB, TIMM, Backbone, row
from histopatch.backbones.classifier import Classifier
from histopatch.errors import InputError

LOGIN = "where its page asks for an account: `hf auth login`"


def create(architecture: str, model: str = "", mlp_layer: str = "", **arguments) -> nn.Module:
    """A network of timm with random weights.

    model: what timm calls the architecture, where `architecture` is the name of a repository on the hub;
    mlp_layer: the name of a class of timm.layers; arguments: others of the network's constructor.
    """
    if mlp_layer:
        arguments["mlp_layer"] = getattr(timm.layers, mlp_layer)
    return timm.create_model(model or architecture, **arguments)


def imagenet_weights(architecture: str, model: str = "", **arguments) -> dict[str, Tensor]:
    """The weights that go by this name, whatever they were trained on, from the hub or from its cache."""
    try:
        return create(architecture, pretrained=True, **arguments).state_dict()
    except Exception as error:  # the hub, the network and the file raise all kinds
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"weights: the pretrained weights of {TIMM}{architecture} could not be fetched ({reason}); go "
            f"online ({LOGIN}), or set `weights` to a file or `none`"
        ) from None


def entry(name: str, image_size: int, sizes: Iterable[int]) -> Backbone:
    """What a network is and expects, by the name of a backbone: `timm/<architecture>.<tag>`.

    image_size: the size in pixels that it is made for where it takes one only; sizes: those of a training.
    Raises InputError for a name that timm does not know, and where the network does not take a size.
    """
    backbone = row(name) or _described(name.removeprefix(TIMM), image_size)
    network = _shapes(backbone.architecture, backbone.arguments or {})
    try:
        with torch.device("meta"):
            classifier = Classifier(network, backbone, dropout=0.0)
    except Exception as error:  # each network has its own way of refusing, and not all have features
        raise InputError(
            f"backbone: {name} gives no features under its own head ({_reason(error)}); choose another one"
        ) from None
    called = []
    classifier.explained_layer.register_forward_hook(lambda *_: called.append(True))
    for size in sorted(sizes):
        try:
            classifier(torch.empty(1, 3, size, size, device="meta"))
        except Exception as error:
            why = _reason(error)
            raise InputError(
                f"image_size: {name} does not take {size} px ({why}); change image_size or backbone"
            ) from None
    # Some networks call the parts of a layer that they name, not the layer.
    return backbone if called else replace(backbone, explained_layer="")


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _described(architecture: str, image_size: int) -> Backbone:
    """The row of the catalogue that a network's own configuration comes to."""
    config, arguments = _configuration(architecture)
    if config.get("fixed_input_size"):
        # Positions of any size, interpolated, where the network can; otherwise it is made for the one size.
        try:
            _shapes(architecture, arguments | {"dynamic_img_size": True})
            arguments["dynamic_img_size"] = True
        except TypeError:
            arguments["img_size"] = image_size
    head, network = config.get("classifier"), _shapes(architecture, arguments)
    return Backbone(
        "timm",
        architecture,
        head=(head if isinstance(head, str) else next(iter(head or ()), "")),
        explained_layer=_last_layer(network),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        arguments=arguments or None,
    )


def _last_layer(network: nn.Module) -> str:
    """The name of the last layer that knows places, as the network itself says; empty where it does not."""
    try:
        layer = network.feature_info[-1]["module"]
        block = network.get_submodule(layer)
    except (AttributeError, IndexError, KeyError):
        return ""
    # The last block of a transformer ends in a sum.
    return f"{layer}.norm1" if hasattr(block, "norm1") else layer


def _configuration(architecture: str) -> tuple[dict, dict]:
    """A network's own configuration, and the arguments that create it besides its name."""
    if architecture.startswith(HUB):
        try:
            config, model, arguments = timm.models.load_model_config_from_hf(architecture.removeprefix(HUB))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(
                f"backbone: the configuration of {TIMM}{architecture} could not be fetched ({reason}); check "
                f"the name and go online ({LOGIN})"
            ) from None
        return config, {**(arguments or {}), "model": model}
    try:
        return timm.get_pretrained_cfg(architecture).to_dict(), {}
    except (RuntimeError, AttributeError):  # no such tag; no such architecture
        close = difflib.get_close_matches(architecture, timm.list_pretrained(), n=1)
        hint = f" (did you mean '{TIMM}{close[0]}'?)" if close else ""
        raise InputError(
            f"backbone: timm has no {architecture!r}{hint}; `timm.list_pretrained()` names all"
        ) from None


def _shapes(architecture: str, arguments: dict) -> nn.Module:
    """The network without values: nothing is computed and nothing drawn."""
    with torch.device("meta"):
        return create(architecture, **arguments).eval()
