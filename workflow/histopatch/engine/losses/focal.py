"""Focal loss: patches that are classified well weigh little (Lin et al., ICCV 2017)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histopatch.settings import Settings


def make(labels: Tensor, settings: Settings) -> nn.Module:
    """The loss with the exponent `focal_gamma`; with `pos_weight`, positives are weighted by their rarity.

    labels: those of the training patches, N of 0 and 1.
    """
    weight = (1 - labels).sum() / labels.sum() if settings.pos_weight else torch.ones_like(labels[0])
    return FocalLoss(settings.focal_gamma, weight)


class FocalLoss(nn.Module):
    """weight · (1 - p)^gamma · cross-entropy, p being the probability of the target."""

    def __init__(self, gamma: float, positive_weight: Tensor):
        super().__init__()
        self.gamma = gamma
        self.register_buffer("positive_weight", positive_weight)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """N logits and N targets in [0, 1] to N losses."""
        losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        missing = targets * (-logits).sigmoid() + (1 - targets) * logits.sigmoid()  # 1 - p
        # At 0 the slope of a power below 1 is infinite.
        missing = missing.clamp(min=torch.finfo(missing.dtype).eps)
        weights = torch.lerp(torch.ones_like(self.positive_weight), self.positive_weight, targets)
        return weights * missing**self.gamma * losses
