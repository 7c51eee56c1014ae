import pytest
import torch


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_is_between_backbone_and_logit_while_training_only(make, dropout):
    model = make(dropout=dropout).eval()
    images = torch.randn(4, 3, 32, 32)
    assert torch.equal(model(images), model(images))
    features = model.features(images)
    model.train()
    drawn = torch.stack([model.head(features).squeeze(1) for _ in range(3)])
    assert (drawn.std(0) > 0).all() == (dropout > 0)


def test_a_frozen_backbone_keeps_its_weights_and_its_statistics(make, same):
    model = make(freeze_backbone=True)
    before = {key: value.clone() for key, value in model.features.state_dict().items()}
    model.train()
    model(torch.randn(4, 3, 32, 32)).sum().backward()
    assert same(model.features.state_dict(), before)
    assert all(parameter.grad is None for parameter in model.features.parameters())
    assert all(parameter.grad is not None for parameter in model.head.parameters())
    assert model.head.training


def test_a_backbone_that_is_not_frozen_learns_its_statistics(make):
    model = make().train()
    before = model.features.bn1.running_mean.clone()
    model(torch.randn(4, 3, 32, 32))
    assert not torch.equal(model.features.bn1.running_mean, before)


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_b0", "efficientnet_lite0"])
def test_the_explained_layer_still_knows_places(make, backbone):
    model, seen = make(backbone=backbone).eval(), []
    model.explained_layer.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    model(torch.randn(2, 3, 64, 64))
    (maps,) = seen
    assert maps.shape == (2, model.description()["width"], 2, 2)
