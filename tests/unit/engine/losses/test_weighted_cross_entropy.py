import torch

from histopatch.engine.losses.weighted_cross_entropy import make


def test_both_classes_weigh_the_same(settings):
    labels, logits = torch.tensor([0.0, 0, 0, 0, 0, 1, 1]), torch.linspace(-1, 1, 7)
    likelihoods = torch.where(labels == 1, logits.sigmoid(), 1 - logits.sigmoid())
    weights = torch.where(labels == 1, 2.5, 1.0)
    assert torch.allclose(make(labels, settings)(logits, labels), -weights * likelihoods.log())
