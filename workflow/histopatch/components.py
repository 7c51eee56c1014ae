"""Components: the modules that a run's settings choose, besides the training loop that all runs share.

They are imported by name when a run needs them, so importing the engine imports none of them, and the code
of a training is the loop and the components in use: a new backbone, or an edit of an augmentation that a
run does not draw, retrains nothing.

No digest of code covers this module: a training's digest has the components that its settings use, and what
is declared of them.
"""

import importlib
from collections.abc import Mapping
from dataclasses import fields
from types import ModuleType

from histopatch.backbones.catalogue import row
from histopatch.settings import Settings

HEADS = "engine.heads"  # of runs on the features of a frozen encoder
# Module under `engine/schedules/`.
SCHEDULES = {"none": "constant", "cosine": "cosine", "one_cycle": "one_cycle"}
# Augmentations that are one sampling pass together, and modules of `augmentation/mixing/`; any other one is a
# module of `augmentation/operations/`.
GEOMETRY = ("flips", "rotation", "quarter_turns", "shift", "zoom")
MIXING = ("cutmix", "mixup")


def backbone(settings: Settings) -> str:
    """The module that builds the backbone; names are dotted and relative to the package."""
    declared = row(settings.backbone)
    return f"backbones.{declared.source if declared else 'timm'}"


def schedule(settings: Settings) -> str:
    """The module that lowers or raises the learning rate."""
    return f"engine.schedules.{SCHEDULES[settings.scheduler]}"


def loss(settings: Settings) -> str:
    """The module that makes the loss function."""
    if settings.focal_gamma:
        return "engine.losses.focal"
    return f"engine.losses.{'weighted_cross_entropy' if settings.pos_weight else 'cross_entropy'}"


def operations(augmentation: Mapping[str, bool | float]) -> dict[str, str]:
    """The modules that change each patch alone, by operation, in the order in which they are applied.

    augmentation: strength by operation; one at 0 is not applied.
    """
    others = {*GEOMETRY, *MIXING}
    names = sorted(name for name, strength in augmentation.items() if strength and name not in others)
    return {name: f"augmentation.operations.{name}" for name in names}


def mixing(augmentation: Mapping[str, bool | float]) -> dict[str, str]:
    """The modules that mix patches with each other, likewise."""
    return {name: f"augmentation.mixing.{name}" for name in MIXING if augmentation.get(name)}


def stain_normalisation(settings: Settings) -> list[str]:
    """The module that gives patches another stain, where any does."""
    method = settings.stain_normalisation
    return [] if method == "none" else [f"stain.{method}"]


def predicting(settings: Settings) -> list[str]:
    """The modules that these settings choose and that a prediction uses, too."""
    return [backbone(settings), *stain_normalisation(settings)]


def used(settings: Settings) -> list[str]:
    """Every module that these settings choose."""
    return [
        # A head reads what the backbone made.
        *(predicting(settings) if settings.feature_head == "none" else [HEADS]),
        schedule(settings),
        loss(settings),
        *operations(settings.augmentation).values(),
        *mixing(settings.augmentation).values(),
    ]


def declared(settings: Settings) -> str:
    """What the declarations say of the components that these settings choose, for a digest of code.

    Fields at their default are left out, so that a new field of a declaration retrains nothing.
    """
    backbone = row(settings.backbone)
    if backbone is None:
        return ""
    values = {f.name: getattr(backbone, f.name) for f in fields(backbone)}
    return repr({f.name: values[f.name] for f in fields(backbone) if values[f.name] != f.default})


def load(module: str) -> ModuleType:
    """Import a component."""
    return importlib.import_module(f"histopatch.{module}")
