import pytest
import torch
from torch import nn

from histopatch.engine.early_stopping import EarlyStopping


def follow(patience: int, aurocs: list[float]) -> tuple[int, dict]:
    """How many epochs a training with these AUROCs has, and what is kept of it."""
    model, stopping = nn.Linear(1, 1, bias=False), EarlyStopping(patience)
    for epoch, auc in enumerate(aurocs, 1):
        if stopping.over:
            return epoch - 1, stopping.best
        with torch.no_grad():
            model.weight.fill_(epoch)
        stopping.see(auc, model, torch.tensor([float(epoch)]))
        # As after each epoch a killed training may go on from here.
        state, stopping = stopping.state_dict(), EarlyStopping(patience)
        stopping.load_state_dict(state)
        if not patience:
            stopping.see(auc, model, torch.tensor([float(epoch)]))
    return len(aurocs), stopping.best


@pytest.mark.parametrize(("patience", "epochs", "kept"), [(1, 3, 2), (2, 4, 2), (3, 8, 5), (9, 8, 5)])
def test_it_ends_so_many_epochs_after_the_best_one_which_is_kept(patience, epochs, kept):
    ended, best = follow(patience, [0.7, 0.8, 0.75, 0.8, 0.9, 0.85, 0.9, 0.89])
    assert (ended, best["epoch"]) == (epochs, kept)
    assert best["weights"]["weight"].item() == best["logits"].item() == kept


def test_without_patience_the_last_epoch_counts():
    ended, best = follow(0, [0.9, 0.8, 0.7])
    assert ended == 3
    assert best["weights"]["weight"].item() == 3
