"""The optimiser of a training: what learns, how fast by depth, and from which epoch on."""

import math

from torch.optim import AdamW, Optimizer

from histopatch.backbones.classifier import Classifier
from histopatch.settings import Settings


def make_optimizer(model: Classifier, settings: Settings) -> Optimizer:
    """AdamW over all that may learn; with `layer_decay` a group for each layer, the head's first.

    The learning rate of a layer is that of the one above it times `layer_decay` (Clark et al., ICLR 2020).
    """
    if settings.layer_decay == 1:
        groups = [{"params": _learning(model.parameters())}]
    else:
        groups = [
            {"params": _learning(layer), "lr": settings.lr * settings.layer_decay**depth}
            for depth, layer in enumerate(model.layers)
        ]
    groups = [group for group in groups if group["params"]]
    return AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay, fused=True)


def thaw(model: Classifier, settings: Settings, epoch: int) -> None:
    """Let those layers learn that have their turn in an epoch, which are counted from 1.

    With `unfreeze_epochs` the head learns alone in the first epoch, and the layers join it from the top, in
    equal steps, so that after so many epochs all learn (Howard & Ruder, ACL 2018).
    """
    if not settings.unfreeze_epochs:
        return
    head, *features = model.layers
    learning = math.ceil(len(features) * min(1, (epoch - 1) / settings.unfreeze_epochs))
    for depth, layer in enumerate(features):
        for parameter in layer:
            parameter.requires_grad_(depth < learning)


def _learning(parameters) -> list:
    return [parameter for parameter in parameters if parameter.requires_grad]
