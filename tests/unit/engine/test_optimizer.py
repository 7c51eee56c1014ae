from dataclasses import replace

import pytest
import torch
from torch import nn

from histopatch.backbones.build import build
from histopatch.engine.optimizer import make_optimizer, thaw


@pytest.fixture
def model(settings):
    return build(settings)


def test_all_that_learns_has_one_rate_unless_it_decays(model, settings):
    (group,) = make_optimizer(model, settings).param_groups
    assert len(group["params"]) == len(list(model.parameters()))
    assert group["lr"] == settings.lr


def test_rates_fall_from_the_head_to_the_input(model, settings):
    optimizer = make_optimizer(model, replace(settings, layer_decay=0.5))
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    features = model.features
    by_depth = [
        model.head[1], features.layer4[1], features.layer4[0], features.layer3[1], features.layer3[0],
        features.layer2[1], features.layer2[0], features.layer1[1], features.layer1[0], features.conv1,
    ]  # fmt: skip
    for depth, layer in enumerate(by_depth):
        for parameter in layer.parameters():
            assert rates[id(parameter)] == pytest.approx(settings.lr * 0.5**depth)
    assert rates[id(features.bn1.weight)] == rates[id(features.conv1.weight)]
    assert len(rates) == len(list(model.parameters()))


def test_what_is_frozen_is_not_optimised(settings):
    model = build(replace(settings, freeze_backbone=True))
    (group,) = make_optimizer(model, settings).param_groups
    assert len(group["params"]) == 2


def learning(model: nn.Module) -> float:
    """The share of the layers under the head that learn."""
    layers = [all(parameter.requires_grad for parameter in layer) for layer in model.layers[1:]]
    assert layers == sorted(layers, reverse=True)  # from the top
    return sum(layers) / len(layers)


def test_layers_join_the_head_from_the_top(model, settings):
    shares = []
    for epoch in range(1, 6):
        thaw(model, replace(settings, unfreeze_epochs=3), epoch)
        assert all(parameter.requires_grad for parameter in model.head.parameters())
        shares.append(learning(model))
    assert shares == pytest.approx([0, 3 / 9, 6 / 9, 1, 1])


def test_all_learn_from_the_start_unless_asked(model, settings):
    thaw(model, settings, 1)
    assert learning(model) == 1


def test_a_layer_that_has_not_joined_stays_as_it_is(model, settings):
    optimizer = make_optimizer(model, settings)
    thaw(model, replace(settings, unfreeze_epochs=4), 1)
    before = {name: value.clone() for name, value in model.named_parameters()}
    model(torch.randn(4, 3, 32, 32)).sum().backward()
    optimizer.step()
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {"head.1.weight", "head.1.bias"}
