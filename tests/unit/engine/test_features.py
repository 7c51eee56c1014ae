import json
import os
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from histopatch.augmentation.prepare import prepare
from histopatch.backbones.build import build
from histopatch.engine import features
from histopatch.engine.features import embed_pack
from histopatch.engine.formats import Format
from histopatch.engine.network import Network

RUNTIME = {"device": "cpu", "workers": 1}


@pytest.fixture
def bank(data, tiny_settings, tmp_path):
    """The files of a bank of the pack."""
    made = {"features": "b.npy", "encoder": "b.safetensors", "report": "b.json"}
    files = {key: str(tmp_path / name) for key, name in made.items()}
    settings = replace(tiny_settings, image_size=48, freeze_backbone=True)
    embed_pack(settings, data.files["pack"], **files, runtime=RUNTIME, threads=1)
    return files, settings


def test_deterministic_concerns_the_features_too(data, tiny_settings, tmp_path):
    files = {key: str(tmp_path / key) for key in ("features", "encoder", "report")}
    settings = replace(tiny_settings, freeze_backbone=True, deterministic=True)
    try:
        embed_pack(settings, data.files["pack"], **files, runtime=RUNTIME, threads=1)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_features_are_those_of_each_patch_by_itself_in_the_order_of_the_pack(bank, data):
    files, settings = bank
    torch.manual_seed(settings.seed)
    model = build(settings).eval()
    found = np.load(files["features"])
    assert (found.shape, found.dtype) == ((len(data.pixels), 6), np.float32)
    for row in (0, 17, len(data.pixels) - 1):
        image = prepare(
            torch.from_numpy(data.pixels[row : row + 1]), 48, model.backbone.mean, model.backbone.std
        )
        with torch.inference_mode():
            assert found[row] == pytest.approx(model.features(image)[0].numpy(), abs=1e-6)
    assert found.std(0).min() > 0


def test_chunks_make_no_difference(bank, data, tmp_path, monkeypatch):
    files, settings = bank
    monkeypatch.setattr(features, "CHUNK", 7)
    again = {key: f"{path}.again" for key, path in files.items()}
    embed_pack(settings, data.files["pack"], **again, runtime=RUNTIME, threads=1)
    assert np.load(again["features"]) == pytest.approx(np.load(files["features"]), abs=1e-6)


def interrupt_after(monkeypatch, parts: int) -> list[int]:
    """Count the calls of the network, and end the process, as it were, before one more than so many."""
    calls, predict = [], Network.predict

    def counted(self, patches, rows, micro_batch):
        if len(calls) == parts:
            raise KeyboardInterrupt
        calls.append(len(rows))
        return predict(self, patches, rows, micro_batch)

    monkeypatch.setattr(Network, "predict", counted)
    return calls


def test_features_that_were_made_before_an_interruption_are_not_made_again(bank, data, tmp_path, monkeypatch):
    files, settings = bank
    monkeypatch.setattr(features, "CHUNK", 7)
    again = {key: str(tmp_path / "again" / name) for key, name in zip(files, "abc", strict=True)}

    def embed(code: str = "c0de"):
        embed_pack(settings, data.files["pack"], **again, runtime=RUNTIME, threads=1, code=code)

    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            embed()
    calls = interrupt_after(monkeypatch, 10**6)
    embed()
    assert sum(calls) == len(data.pixels) - 21
    assert np.load(again["features"]) == pytest.approx(np.load(files["features"]), abs=1e-6)
    assert sorted(os.listdir(tmp_path / "again")) == ["a", "b", "c"]


ANOTHER = {
    "code": {},
    "format": {"candidates": lambda precision, device: [Format("contiguous", "bf16")]},
    "libraries": {"library_versions": lambda: {"torch": "0.1"}},
}


@pytest.mark.parametrize("change", ANOTHER)
def test_features_of_another_code_format_or_library_are_made_again(bank, data, monkeypatch, change):
    """Of a machine without the GPU, say, on which the work goes on."""
    files, settings = bank
    monkeypatch.setattr(features, "CHUNK", 7)

    def embed(code: str = "c0de"):
        embed_pack(settings, data.files["pack"], **files, runtime=RUNTIME, threads=1, code=code)

    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            embed()
    for name, value in ANOTHER[change].items():
        monkeypatch.setattr(features, name, value)
    calls = interrupt_after(monkeypatch, 10**6)
    embed("c0ffee" if change == "code" else "c0de")
    assert sum(calls) == len(data.pixels)


def test_the_encoder_and_all_that_it_is_lie_beside_the_features(bank):
    files, settings = bank
    torch.manual_seed(settings.seed)
    model = build(settings)
    encoder = safetensors.torch.load_file(files["encoder"])
    assert encoder.keys() == {f"features.{name}" for name in model.features.state_dict()}
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in encoder.items())
    with open(files["report"]) as file:
        report = json.load(file)
    assert report["model"]["width"] == 6
    assert report["image_size"] == 48
