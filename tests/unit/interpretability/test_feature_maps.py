import pytest
import timm
import torch
from torch import nn

from histopatch.backbones.catalogue import Backbone
from histopatch.backbones.classifier import Classifier
from histopatch.errors import InputError
from histopatch.interpretability.feature_maps import feature_maps


class Kept(nn.Module):
    """A network that keeps its feature maps in some form when they pass its layer `explained`."""

    def __init__(self, form: str):
        super().__init__()
        torch.manual_seed(0)
        self.form = form
        self.before = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU())
        self.explained = nn.Identity()
        self.after = nn.Sequential(nn.Conv2d(6, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(6, 2)
        if form == "tokens":
            self.num_prefix_tokens = 2
        if form == "channels last":
            self.output_fmt = "NHWC"

    def forward(self, images):
        maps = self.before(images)
        count, channels, height, width = maps.shape
        if self.form == "maps":
            maps = self.explained(maps)
        elif self.form == "channels last":
            maps = self.explained(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        else:
            tokens = maps.flatten(2).transpose(1, 2)
            tokens = self.explained(torch.cat([torch.ones(count, 2, channels), tokens], dim=1))
            assert (tokens[:, :2] == 1).all()
            maps = tokens[:, 2:].transpose(1, 2).reshape(count, channels, height, width)
        return self.fc(self.after(maps))


def classifier(network: nn.Module, head: str, layer: str) -> Classifier:
    torch.manual_seed(1)
    return Classifier(network, Backbone("timm", "any", head, layer), dropout=0).eval()


def forward(model: Classifier, images) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, feature maps and the gradients there."""
    seen = []
    with feature_maps(model) as layer:
        hook = layer.register_forward_hook(lambda *call: seen.append(call[2]))
        logits = model(images)
        hook.remove()
    return logits, seen[0], torch.autograd.grad(logits.sum(), seen[0])[0]


@pytest.mark.parametrize("form", ["tokens", "channels last"])
def test_whatever_form_they_are_kept_in_maps_and_gradients_are_the_same(form):
    images = torch.randn(2, 3, 17, 17)
    expected = forward(classifier(Kept("maps"), "fc", "explained"), images)
    model = classifier(Kept(form), "fc", "explained")
    for found, known in zip(forward(model, images), expected, strict=True):
        assert found.shape == known.shape
        assert torch.allclose(found, known, atol=1e-6)
    assert forward(model, images)[1].shape == (2, 6, 8, 8)


def test_nothing_is_left_behind():
    model = classifier(Kept("tokens"), "fc", "explained")
    with feature_maps(model):
        pass
    assert not model.explained_layer._forward_hooks


def test_tokens_of_a_transformer_are_its_places_row_by_row():
    model = classifier(timm.create_model("test_vit", img_size=64), "head", "blocks.5.norm1")
    seen = []
    model.explained_layer.register_forward_hook(lambda *call: seen.append(call[2]))
    images = torch.randn(2, 3, 64, 64)
    logits, maps, gradients = forward(model, images)
    assert maps.shape == (2, 64, 4, 4)
    assert torch.equal(maps[:, :, 1, 2], seen[0][:, 1 + 4 + 2])
    assert torch.equal(logits, model(images))
    assert gradients.abs().sum() > 0


def test_what_has_no_places_is_refused():
    model = classifier(timm.create_model("test_vit", img_size=64), "head", "fc_norm")
    with pytest.raises(InputError, match=r"^fc_norm: no feature maps, but \[2, 64\]"), feature_maps(model):
        model(torch.randn(2, 3, 64, 64))
