"""A classifier of patches: a backbone under a dropout + one-logit head, and what it expects of its input."""

import itertools
import re
from dataclasses import asdict

from torch import Tensor, nn

from histopatch.backbones.catalogue import Backbone


class Classifier(nn.Module):
    """N×3×S×S normalised images to N logits. Freezing keeps the backbone as it is and trains the head."""

    def __init__(
        self, features: nn.Module, backbone: Backbone, dropout: float, frozen: bool = False, hidden: int = 0
    ):
        """features: a network that `backbone.source` created; its classification head is taken off.

        hidden: units of a layer between the features and the logit; 0 has no such layer.
        """
        super().__init__()
        self.backbone = backbone
        width = _strip_head(features, backbone.head)
        self.features = features.requires_grad_(not frozen)
        layers = (
            [nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1)] if hidden else [nn.Linear(width, 1)]
        )
        self.head = nn.Sequential(nn.Dropout(dropout), *layers)
        self.frozen = frozen

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images)).squeeze(1)

    def train(self, mode: bool = True) -> "Classifier":
        """A frozen backbone stays as it is: its batch normalisation keeps its statistics, too."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    @property
    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters by depth, those of the head first and those next to the input last.

        A layer is what shares a name up to its first number, such as `blocks.3`, or has none, such as a stem.
        """
        stages = itertools.groupby(self.features.named_parameters(), lambda named: _stage(named[0]))
        grouped = [[parameter for _, parameter in stage] for _, stage in stages]
        return [list(self.head.parameters()), *reversed(grouped)]

    @property
    def explained_layer(self) -> nn.Module:
        """The last layer that still knows places: its output is N×C×h×w. The whole where none is known."""
        return self.features.get_submodule(self.backbone.explained_layer)

    def description(self) -> dict:
        """What `build.rebuild` needs, as plain values: weights aside, all that this classifier is."""
        dropout, first, *more = self.head
        hidden = {"hidden": first.out_features} if more else {}
        return {**asdict(self.backbone), "width": first.in_features, "dropout": dropout.p, **hidden}


def _stage(name: str) -> str:
    numbered = re.match(r".*?\.\d+", name)
    return numbered[0] if numbered else ""


def _strip_head(features: nn.Module, name: str) -> int:
    """Replace the classification head by the identity; return the number of features under it."""
    if hasattr(features, "reset_classifier"):  # a network of timm
        features.reset_classifier(0)
        return features.head_hidden_size
    head = getattr(features, name)
    linear = head if isinstance(head, nn.Linear) else head[-1]
    setattr(features, name, nn.Identity())
    return linear.in_features
