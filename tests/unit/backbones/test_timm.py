"""Networks of timm by name. The ones here are timm's own small ones for tests."""

import json
from dataclasses import replace

import huggingface_hub
import pytest
import safetensors.torch
import timm
import torch

from histopatch.backbones.build import build, expected, rebuild
from histopatch.backbones.catalogue import ENCODERS

SMALL = ["timm/test_resnet.r160_in1k", "timm/test_vit.r160_in1k", "timm/test_convnext", "timm/levit_128s"]


@pytest.mark.parametrize("name", SMALL)
def test_any_network_gives_one_logit_a_patch(make, name):
    model = make(backbone=name, image_size=96)
    logits = model(torch.randn(2, 3, 96, 96))
    assert logits.shape == (2,)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.head.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_a_network_is_rebuilt_from_its_description_alone(make, name):
    trained = make(backbone=name, image_size=64, dropout=0.4)
    rebuilt = rebuild(json.loads(json.dumps(trained.description())))
    rebuilt.load_state_dict(trained.state_dict())
    assert rebuilt.description() == trained.description()
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(rebuilt.eval()(images), trained.eval()(images))


@pytest.mark.parametrize("name", SMALL)
def test_the_features_are_those_under_timms_own_head(make, name):
    """An independent way to them: timm's network created without a head."""
    model = make(backbone=name, image_size=96).eval()
    arguments = model.backbone.arguments or {}
    bare = timm.create_model(name.removeprefix("timm/"), num_classes=0, **arguments).eval()
    bare.load_state_dict(model.features.state_dict())
    images = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        assert torch.equal(model.features(images), bare(images))


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "vit_tiny_patch16_224", "convnext_atto.d2_in1k"])
def test_inputs_are_normalised_as_the_networks_configuration_says(settings, name):
    backbone, config = expected(replace(settings, backbone=f"timm/{name}")), timm.get_pretrained_cfg(name)
    assert (backbone.mean, backbone.std) == (config.mean, config.std)
    assert backbone.head == config.classifier


def test_asking_what_a_network_expects_draws_nothing(settings):
    before = torch.get_rng_state()
    expected(replace(settings, backbone="timm/test_vit"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "shape"), [("test_resnet", (2, 96, 2, 2)), ("test_vit", (2, 17, 64))])
def test_the_explained_layer_still_knows_places(make, name, shape):
    """Maps, or a token for each place after the class token."""
    model, seen = make(backbone=f"timm/{name}").eval(), []
    model.explained_layer.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    model(torch.randn(2, 3, 64, 64))
    assert [output.shape for output in seen] == [shape]


@pytest.mark.parametrize("name", ["coat_tiny", "mvitv2_tiny"])
def test_a_network_that_does_not_say_where_places_are_has_no_explained_layer(settings, name):
    """The layer that it names is never called, or it names none."""
    assert expected(replace(settings, backbone=f"timm/{name}", image_size=224)).explained_layer == ""


def test_a_vision_transformer_takes_every_multiple_of_its_patches(make):
    """So patches may grow in the course of a training."""
    model = make(backbone="timm/test_vit", image_size=96, start_size=32, epochs=3)
    for size in (32, 64, 96):
        assert model(torch.randn(2, 3, size, size)).shape == (2,)


def test_a_network_without_features_is_one_line(fault):
    message = fault(backbone="timm/deepseek_vit_412m_enc", image_size=224)
    assert message.startswith("backbone: timm/deepseek_vit_412m_enc gives no features under its own head (")


@pytest.mark.input("Configuration", "an image size that a network of timm does not take", "refused")
@pytest.mark.parametrize(
    ("name", "sizes", "told"),
    [
        ("test_vit", {"image_size": 97}, "97 px (Input height (97) should be divisible by patch size (16))"),
        (
            "inception_v4",
            {"image_size": 32},
            "32 px (Calculated padded input size per channel: (1 x 1). Kern",
        ),
        ("levit_128s", {"image_size": 96, "start_size": 64, "epochs": 3}, "64 px ("),
    ],
)
def test_a_size_that_a_network_does_not_take_is_one_line(fault, name, sizes, told):
    message = fault(backbone=f"timm/{name}", **sizes)
    assert message.startswith(f"image_size: timm/{name} does not take {told}")
    assert message.endswith("; change image_size or backbone")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("test_vit.r160_in21k", "test_vit.r160_in1k"), ("convnext_tiny.fb_in22", "convnext_tiny.fb_in22k")],
)
def test_a_tag_that_timm_does_not_know_is_one_line(fault, name, meant):
    assert fault(backbone=f"timm/{name}") == (
        f"backbone: timm has no {name!r} (did you mean 'timm/{meant}'?); `timm.list_pretrained()` names all"
    )


@pytest.fixture
def unreachable(monkeypatch):
    """A machine that reaches no hub and has nothing of it."""

    def fail(*args, **kwargs):
        raise huggingface_hub.errors.LocalEntryNotFoundError("nothing is here\nand no network")

    monkeypatch.setattr(timm.models._hub, "hf_hub_download", fail)


@pytest.mark.input("Weights", "a network of timm whose weights cannot be fetched", "refused")
@pytest.mark.parametrize("name", ["test_vit.r160_in1k", "hf-hub:MahmoodLab/UNI"])
def test_weights_that_cannot_be_fetched_are_one_line_that_says_what_to_do(fault, unreachable, name):
    message = fault(backbone=f"timm/{name}", weights="imagenet", image_size=224)
    assert message.startswith(f"weights: the pretrained weights of timm/{name} could not be fetched (")
    assert "nothing is here); go online (where its page asks for an account: `hf auth login`)" in message


def test_a_configuration_that_cannot_be_fetched_is_one_line(fault, unreachable):
    message = fault(backbone="timm/hf-hub:somebody/something")
    assert message.startswith("backbone: the configuration of timm/hf-hub:somebody/something could not be")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that has one repository: a small network under a name of its own, with its weights."""
    torch.manual_seed(5)
    network = timm.create_model("test_vit", num_classes=3, init_values=0.1)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "model.safetensors")
    config = {
        "architecture": "test_vit",
        "num_classes": 3,
        "model_args": {"init_values": 0.1},
        "pretrained_cfg": {"mean": [0.7, 0.6, 0.7], "std": [0.2, 0.2, 0.2], "input_size": [3, 160, 160],
                           "fixed_input_size": True, "classifier": "head", "num_classes": 3},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))

    def download(repo_id, filename, **kwargs):
        assert repo_id == "owner/small"
        if not (tmp_path / filename).is_file():
            raise huggingface_hub.errors.EntryNotFoundError(filename)
        return str(tmp_path / filename)

    monkeypatch.setattr(timm.models._hub, "hf_hub_download", download)
    return network


def test_a_network_of_the_hub_brings_its_configuration_and_weights(make, same, hub, monkeypatch):
    model = make(backbone="timm/hf-hub:owner/small", weights="imagenet", image_size=96)
    assert model.backbone.mean == (0.7, 0.6, 0.7)
    hub.reset_classifier(0)
    assert same(model.features.state_dict(), hub.state_dict())
    # A trained model does not need the hub again.
    monkeypatch.setattr(timm.models._hub, "hf_hub_download", None)
    again = rebuild(json.loads(json.dumps(model.description())))
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize("name", SMALL[:3])
def test_a_local_file_is_loaded_and_its_head_left_out(make, same, tmp_path, name):
    torch.manual_seed(2)
    network = timm.create_model(name.removeprefix("timm/"))
    safetensors.torch.save_file(network.state_dict(), tmp_path / "w.safetensors")
    model = make(backbone=name, weights=str(tmp_path / "w.safetensors"), image_size=96)
    network.reset_classifier(0)
    assert same(model.features.state_dict(), network.state_dict())


def test_a_local_file_of_another_network_is_refused(fault, tmp_path):
    safetensors.torch.save_file(timm.create_model("test_vit2").state_dict(), tmp_path / "w.safetensors")
    message = fault(backbone="timm/test_vit", weights=str(tmp_path / "w.safetensors"))
    assert "give weights of the same architecture" in message


# As the pages of these encoders say: the length of the embedding (of Virchow2, the class token's), and the
# number of parameters in millions.
PAGES = {"UNI": (1024, 303), "UNI2-h": (1536, 681), "Virchow2": (1280, 631), "H-optimus-0": (1536, 1134)}


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_for_pathology_is_described_without_the_hub(settings, unreachable, name):
    backbone = expected(replace(settings, backbone=name, image_size=224))
    with torch.device("meta"):
        model = build(replace(settings, backbone=name, image_size=224))
    width, millions = PAGES[name.rpartition("/")[2]]
    assert model.description()["width"] == width
    assert sum(p.numel() for p in model.features.parameters()) / 1e6 == pytest.approx(millions, rel=0.01)
    assert model.features.get_submodule(backbone.explained_layer)
