"""Binary cross-entropy in which both classes of the training patches weigh the same."""

from torch import Tensor, nn

from histopatch.settings import Settings


def make(labels: Tensor, settings: Settings) -> nn.Module:
    """The loss with positives weighted by negatives / positives of the training labels (N of 0 and 1)."""
    return nn.BCEWithLogitsLoss(pos_weight=(1 - labels).sum() / labels.sum(), reduction="none")
