"""The catalogue of backbones: where each comes from, what it expects of its input, and where to look into it.

Declarations only: no digest of code covers this module. A training's digest has the row of its own backbone,
so a new row retrains nothing, and an edited one retrains what uses it.
"""

from dataclasses import dataclass

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
    explained_layer: str  # the module whose feature maps (N×C×h×w) explanations look at
    mean: tuple[float, ...] = IMAGENET_MEAN  # per channel, of inputs scaled to [0, 1]
    std: tuple[float, ...] = IMAGENET_STD
    min_size: int = 32  # height and width in pixels that it accepts
    max_size: int | None = None  # None: any


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
