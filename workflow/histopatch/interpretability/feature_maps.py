"""The feature maps of any backbone as N×C×h×w, whether it keeps them so or as tokens."""

import contextlib
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from histopatch.backbones.classifier import Classifier
from histopatch.errors import InputError


@contextlib.contextmanager
def feature_maps(model: Classifier) -> Iterator[nn.Module]:
    """Yield a module whose output in each forward pass is that of the explained layer as N×C×h×w.

    Gradients reach it, as the rest of the pass goes on from there. Networks of timm say themselves whether
    channels come last (`output_fmt`), and how many tokens without a place, such as that of the class, come
    before those of a square grid, row by row (`num_prefix_tokens`). A pass raises InputError where the layer
    puts out none of these.
    """
    last = getattr(model.features, "output_fmt", "NCHW") == "NHWC"
    maps = nn.Identity()

    def through(_layer: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        if output.ndim == 4:
            return maps(output.movedim(-1, 1)).movedim(1, -1) if last else maps(output)
        prefix, tokens = output.tensor_split([getattr(model.features, "num_prefix_tokens", 0)], dim=1)
        side = math.isqrt(tokens.shape[1])
        if output.ndim != 3 or side**2 != tokens.shape[1]:
            layer, shape = model.backbone.explained_layer or "the network", [*output.shape]
            raise InputError(f"{layer}: no feature maps, but {shape}")
        placed = maps(tokens.transpose(1, 2).unflatten(2, (side, side)))
        return torch.cat([prefix, placed.flatten(2).transpose(1, 2)], dim=1)

    handle = model.explained_layer.register_forward_hook(through)
    try:
        yield maps
    finally:
        handle.remove()
