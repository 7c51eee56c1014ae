import logging
from dataclasses import replace

import pytest
import torch

from histopatch.backbones.build import build
from histopatch.engine import micro_batch
from histopatch.engine.micro_batch import choose_micro_batch, training_bytes

CPU = torch.device("cpu")


@pytest.fixture
def model(network):
    return network(norm=True).model


@pytest.fixture
def memory(monkeypatch):
    """Pretend that this many bytes are available."""
    return lambda available: monkeypatch.setattr(micro_batch, "available_bytes", lambda: available)


def test_the_estimate_grows_with_batch_and_size(model):
    whole = training_bytes(model, 96, 16)
    assert 0.4 * whole < training_bytes(model, 96, 8) < 0.6 * whole
    assert 0.2 * whole < training_bytes(model, 48, 16) < 0.3 * whole


@pytest.mark.parametrize(("backbone", "taken"), [("resnet18", 0.86e9), ("efficientnet_lite0", 1.71e9)])
def test_the_estimate_is_near_what_a_training_takes(settings, backbone, taken):
    """taken: by `benchmarks/training_memory.py`; of the first network most in evaluation, else in a step."""
    needed = training_bytes(build(replace(settings, backbone=backbone)), 96, 64)
    assert needed == pytest.approx(taken, rel=0.2)


def test_a_frozen_backbone_keeps_nothing_but_is_evaluated(settings):
    model = build(replace(settings, backbone="efficientnet_lite0"))
    whole = training_bytes(model, 96, 16)
    model.requires_grad_(False)
    frozen = training_bytes(model, 96, 16)
    assert 4 * 16 * 3 * 96 * 96 * 4 < frozen < whole


def test_layers_that_return_several_tensors_count_with_all_of_them(model):
    class Doubled(torch.nn.Module):
        def forward(self, images):
            return images, [images, None]

    class First(torch.nn.Module):
        def forward(self, both):
            return both[0]

    wide = torch.nn.Sequential(Doubled(), First(), model)
    assert training_bytes(wide, 32, 4) >= training_bytes(model, 32, 4)


def test_estimating_leaves_model_and_random_state_alone(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random, training = torch.get_rng_state(), model.training
    training_bytes(model, 96, 8)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training == training
    assert not model._forward_hooks


def test_the_whole_batch_is_taken_where_it_fits(model, memory, caplog):
    memory(10**12)
    with caplog.at_level(logging.INFO):
        chosen, found = choose_micro_batch(model, 96, 8, CPU)
    assert chosen == 8
    assert found == {"training_estimate": training_bytes(model, 96, 8), "available": 10**12}
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert record.getMessage().startswith("batches of 8 need about ")


@pytest.mark.parametrize(("fits", "expected"), [(7, 4), (3, 2), (2, 2), (0, 2)])
def test_the_batch_is_halved_until_it_fits(model, memory, caplog, fits, expected):
    memory(int(training_bytes(model, 96, fits) / micro_batch.SHARE) + 1 if fits else 0)
    assert choose_micro_batch(model, 96, 8, CPU)[0] == expected
    assert caplog.records[-1].levelname == "WARNING"
    needed = f"{training_bytes(model, 96, expected) / 1e9:.1f} GB"
    assert f"over micro-batches of {expected}, which need about {needed}" in caplog.records[-1].getMessage()


def test_a_gpu_says_itself_when_it_runs_out(model, memory):
    memory(0)
    assert choose_micro_batch(model, 96, 8, torch.device("cuda")) == (8, {})
