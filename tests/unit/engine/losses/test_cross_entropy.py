import torch

from histopatch.engine.losses.cross_entropy import make


def test_the_loss_of_a_patch_is_its_negative_log_likelihood(settings):
    labels, logits = torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0.3, -1.0, 2.0])
    likelihoods = torch.where(labels == 1, logits.sigmoid(), 1 - logits.sigmoid())
    assert torch.allclose(make(labels, settings)(logits, labels), -likelihoods.log())
