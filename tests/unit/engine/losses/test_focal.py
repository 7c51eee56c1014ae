from dataclasses import replace

import pytest
import torch

from histopatch.engine.losses import cross_entropy, focal, weighted_cross_entropy


@pytest.fixture
def case():
    labels = torch.tensor([0.0, 0, 0, 0, 0, 1, 1])
    return labels, torch.linspace(-2, 2, 7).flip(0)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_it_is_the_formula_of_the_paper(case, settings, gamma):
    labels, logits = case
    losses = []
    for label, logit in zip(labels.double(), logits.double(), strict=True):
        positive = 1 / (1 + torch.exp(-logit))
        right = positive if label == 1 else 1 - positive
        losses.append(-((1 - right) ** gamma) * torch.log(right))
    loss = focal.make(labels, replace(settings, focal_gamma=gamma))
    assert loss(logits, labels).tolist() == pytest.approx(torch.stack(losses).tolist())


@pytest.mark.parametrize("weighted", [False, True])
def test_without_focus_it_is_cross_entropy(case, settings, weighted):
    labels, logits = case
    plain = weighted_cross_entropy if weighted else cross_entropy
    asked = replace(settings, focal_gamma=0.0, pos_weight=weighted)
    expected = plain.make(labels, asked)(logits, labels)
    assert torch.allclose(focal.make(labels, asked)(logits, labels), expected)


@pytest.mark.parametrize("gamma", [0.25, 0.9, 2.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_confident_patches_have_a_finite_slope(case, settings, gamma, label):
    labels, _ = case
    logits = torch.tensor([-200.0, -18, 18, 200], requires_grad=True)
    loss = focal.make(labels, replace(settings, focal_gamma=gamma))(logits, torch.full((4,), label))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert logits.grad.isfinite().all()


def test_soft_targets_are_between_the_labels(case, settings):
    labels, logits = case
    loss = focal.make(labels, replace(settings, focal_gamma=2.0))
    half = loss(logits, torch.full_like(labels, 0.5))
    assert loss(logits, labels).isfinite().all()
    assert torch.allclose(half, loss(-logits, torch.full_like(labels, 0.5)))  # both classes alike
