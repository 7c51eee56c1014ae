"""Early stopping: a training ends when the AUROC on the validation part has not risen for a while."""

import copy

from torch import Tensor, nn


class EarlyStopping:
    """Keeps the weights and the logits of the best epoch, if `patience` epochs may pass without a better one.

    With patience 0 there is none: the training has all its epochs, and the last one counts.
    """

    def __init__(self, patience: int):
        self.patience, self.epoch = patience, 0
        self.best: dict = {}

    def see(self, auc: float, model: nn.Module, logits: Tensor) -> None:
        """Take in an epoch: its AUROC, the model that was evaluated and its logits."""
        self.epoch += 1
        if not self.patience:
            self.best = {"epoch": self.epoch, "weights": model.state_dict(), "logits": logits}
        elif auc > self.best.get("auc", -1):
            weights = copy.deepcopy(model.state_dict())
            self.best = {"epoch": self.epoch, "auc": auc, "weights": weights, "logits": logits}

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        return bool(self.patience and self.best) and self.epoch - self.best["epoch"] >= self.patience

    def state_dict(self) -> dict:
        return {"epoch": self.epoch, "best": self.best if self.patience else {}}

    def load_state_dict(self, state: dict) -> None:
        self.epoch, self.best = state["epoch"], state["best"]
