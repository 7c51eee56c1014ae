"""The catalogue of backbones: where each comes from, what it expects of its input, and where to look into it.

Declarations only: no digest of code covers this module. A training's digest has the row of its own backbone,
so a new row retrains nothing, and an edited one retrains what uses it. Other networks of timm have no row:
their own configuration says the same of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

TIMM, HUB = "timm/", "hf-hub:"  # in front of the name of any network of timm, and of one on the hub
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Backbone:
    """What it takes, besides weights, to create a backbone and to feed it.

    A default is never changed: rows at the default are not in the digests of their trainings.
    """

    source: str  # the module of this package that creates it
    architecture: str  # what the source calls it
    head: str  # the attribute that holds its own classification head, which ours replaces
    explained_layer: str  # the module whose feature maps (N×C×h×w; transformers: N×T×C) explanations look at
    mean: tuple[float, ...] = IMAGENET_MEAN  # per channel, of inputs scaled to [0, 1]
    std: tuple[float, ...] = IMAGENET_STD
    min_size: int = 32  # height and width in pixels that it accepts
    max_size: int | None = None  # None: any
    arguments: Mapping | None = None  # of the source's `create`, besides the architecture


BACKBONES = {
    "resnet18": Backbone("torchvision", "resnet18", "fc", "layer4"),
    "efficientnet_b0": Backbone("torchvision", "efficientnet_b0", "classifier", "features.8"),
    "efficientnet_b2": Backbone("torchvision", "efficientnet_b2", "classifier", "features.8"),
    # The `tf_` variants pad as TensorFlow does, which is how the checkpoints were trained.
    **{
        f"efficientnet_lite{size}": Backbone(
            "lite", f"tf_efficientnet_lite{size}", "classifier", "bn2", mean=HALF, std=HALF
        )
        for size in range(3)
    },
}

# Encoders made for pathology, as their pages on the Hugging Face hub create them, so that a file of weights
# is enough. Virchow2 gives its class token; its authors append the mean of the other tokens.
SWIGLU = {"mlp_layer": "SwiGLUPacked", "act_layer": "silu"}
ENCODERS = {
    "timm/hf-hub:MahmoodLab/UNI": Backbone(
        "timm", "hf-hub:MahmoodLab/UNI", "head", "blocks.23.norm1",
        arguments={
            "model": "vit_large_patch16_224", "num_classes": 0, "init_values": 1e-5, "dynamic_img_size": True,
        },
    ),
    "timm/hf-hub:MahmoodLab/UNI2-h": Backbone(
        "timm", "hf-hub:MahmoodLab/UNI2-h", "head", "blocks.23.norm1",
        arguments={
            "model": "vit_giant_patch14_224", "num_classes": 0, "depth": 24, "num_heads": 24,
            "embed_dim": 1536, "mlp_ratio": 5.33334, "init_values": 1e-5, "no_embed_class": True,
            "reg_tokens": 8, "dynamic_img_size": True, **SWIGLU,
        },
    ),
    "timm/hf-hub:paige-ai/Virchow2": Backbone(
        "timm", "hf-hub:paige-ai/Virchow2", "head", "blocks.31.norm1",
        arguments={
            "model": "vit_huge_patch14_224", "num_classes": 0, "mlp_ratio": 5.3375, "init_values": 1e-5,
            "reg_tokens": 4, "global_pool": "token", "dynamic_img_size": True, **SWIGLU,
        },
    ),
    "timm/hf-hub:bioptimus/H-optimus-0": Backbone(
        "timm", "hf-hub:bioptimus/H-optimus-0", "head", "blocks.39.norm1",
        mean=(0.707223, 0.578729, 0.703617),
        std=(0.211883, 0.230117, 0.177517),
        arguments={
            "model": "vit_giant_patch14_reg4_dinov2", "num_classes": 0, "img_size": 224,
            "init_values": 1e-5, "global_pool": "token", "dynamic_img_size": True,
        },
    ),
}  # fmt: skip


def row(name: str) -> Backbone | None:
    """What is declared of a backbone; None for a network of timm that its own configuration describes."""
    return BACKBONES.get(name) or ENCODERS.get(name)


def slug(name: str) -> str:
    """A backbone's name as a part of paths."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name)
