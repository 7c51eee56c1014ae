from dataclasses import replace

import pytest
import torch

from histopatch.interpretability.grad_cam import evidence_maps


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randint(
        0, 256, (6, 96, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


def feature_maps(network, pixels) -> torch.Tensor:
    seen = []
    hook = network.model.explained_layer.register_forward_hook(lambda *call: seen.append(call[2]))
    network.logits(pixels)
    hook.remove()
    return seen[0]


def test_under_a_mean_and_a_linear_head_the_maps_have_a_closed_form(small_network, pixels):
    """The gradient of the logit at each place is then the weight of its channel over the number of places."""
    maps = feature_maps(small_network, pixels)
    weights = small_network.model.head[1].weight[0]
    signed = torch.einsum("nchw,c->nhw", maps, weights) / maps[0, 0].numel()
    for positive, expected in ((True, signed.clamp(min=0)), (False, (-signed).clamp(min=0))):
        found = evidence_maps(small_network, pixels, torch.full((6,), positive))
        assert found.shape == (6, 11, 11)
        assert torch.allclose(found, expected.detach(), atol=1e-7)
        assert (found > 0).any()


def test_each_patch_has_the_evidence_for_its_own_class(small_network, pixels):
    mixed = torch.tensor([True, False, True, True, False, False])
    found = evidence_maps(small_network, pixels, mixed)
    for positive in (True, False):
        alone = evidence_maps(small_network, pixels, torch.full((6,), positive))
        assert torch.allclose(found[mixed == positive], alone[mixed == positive])


def test_the_layer_is_the_one_that_the_backbone_names(small_network, pixels):
    """An earlier layer, whose gradients differ from place to place, against gradients taken by hand."""
    layer = small_network.model.features.second
    small_network.model.backbone = replace(small_network.model.backbone, explained_layer="second")
    kept = []
    hook = layer.register_forward_hook(lambda *call: kept.append(call[2]))
    logits = small_network.logits(pixels)
    hook.remove()
    (gradients,) = torch.autograd.grad(logits.sum(), kept[0])
    expected = (gradients.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).clamp(min=0)
    found = evidence_maps(small_network, pixels, torch.ones(6, dtype=torch.bool))
    assert torch.allclose(found, expected.detach(), atol=1e-7)
