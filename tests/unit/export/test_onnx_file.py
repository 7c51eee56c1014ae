import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from histopatch.backbones.build import build
from histopatch.engine.formats import Format
from histopatch.engine.network import Network
from histopatch.errors import InputError
from histopatch.export import onnx_file
from histopatch.export.onnx_file import write_onnx
from histopatch.settings import Settings
from histopatch.stain import reinhard
from histopatch.stain.normaliser import Normaliser
from histopatch.statistics.recalibration import Recalibration

SIZE = 32


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    settings = Settings(
        backbone="resnet18", image_size=SIZE, batch_size=4, epochs=1, lr=1e-3, seed=0, split="main"
    )
    return Network(build(settings), SIZE, Format("contiguous", "fp32"))


@pytest.fixture
def write(network, tmp_path):
    def write() -> dict:
        patches = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
        path = tmp_path / "model/model.onnx"
        return write_onnx([network], "probability", Recalibration(), [], patches, str(path))

    return write


def test_a_file_too_large_for_onnx_has_its_weights_beside_it(write, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(onnx_file, "ONE_FILE", 2**20)
    caplog.set_level(logging.INFO, "root")
    assert max(write()["differences"].values()) < 1e-5
    files = sorted((tmp_path / "model").iterdir())
    assert [path.name for path in files] == ["model.onnx", "model.onnx.data"]
    assert files[0].stat().st_size < 2**20 < files[1].stat().st_size
    assert onnxruntime.InferenceSession(files[0]).get_outputs()[0].name == "probability"
    assert "4 patches with onnxruntime: at most" in caplog.text

    monkeypatch.undo()
    (tmp_path / "model/.model.onnx.scratch").mkdir()  # of an export that was killed
    (tmp_path / "model/.model.onnx.scratch/model.onnx").write_bytes(b"half")
    write()
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("method", ["reinhard", "macenko"])
def test_a_process_that_has_normalised_nothing_yet_exports_a_stain(network, tmp_path, method):
    reinhard._matrices.cache_clear()
    reference = torch.tensor([[0.5, 0.1, 0.2], [0.3, 0.6, 0.2]])
    stained = replace(network, normaliser=Normaliser(method, reference))
    patches = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    path = tmp_path / "model.onnx"
    found = write_onnx([stained], "probability", Recalibration(), [], patches, str(path))
    assert max(found["differences"].values()) < 1e-3


def test_the_file_says_nothing_of_the_machine_that_made_it(write, tmp_path):
    write()
    content = (tmp_path / "model/model.onnx").read_bytes()
    for file in (onnx_file.__file__, torch.__file__):
        assert str(Path(file).parents[1]).encode() not in content


def test_a_file_that_differs_from_pytorch_is_refused(write, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "LARGEST", -1.0)
    with pytest.raises(InputError, match=r"model\.onnx: its probabilities differ from PyTorch's") as refused:
        write()
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "model").iterdir())


@pytest.mark.input("Exported model", "A network that ONNX has no operation for", "refused: which one it is")
def test_what_onnx_has_no_operation_for_is_named(write, network):
    network.normaliser = lambda images: images * torch.linalg.svdvals(images).amax()
    with pytest.raises(
        InputError, match=r"model\.onnx: .* cannot be exported \(.*svd.*\); choose"
    ) as refused:
        write()
    assert "\n" not in str(refused.value)
