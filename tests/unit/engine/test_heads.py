import json
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits

from histopatch import components
from histopatch.backbones.build import build
from histopatch.engine import loop
from histopatch.engine.device import device_name
from histopatch.engine.features import embed_pack
from histopatch.engine.formats import Format
from histopatch.engine.network import Network
from histopatch.engine.predict import predict_pack
from histopatch.engine.train import train_run
from histopatch.schema import without_neutral
from histopatch.statistics.ensembles import Ensemble

RUNTIME = {"device": "cpu", "workers": 1, "on_failure": "stop"}
HEADS = ["linear", "mlp", "logistic_regression"]
heads = import_module(f"histopatch.{components.HEADS}")


@pytest.fixture
def settings(tiny_settings):
    return replace(
        tiny_settings, feature_head="linear", freeze_backbone=True, augmentation={}, dropout=0.0, epochs=3
    )


@pytest.fixture
def bank(data, settings, tmp_path) -> str:
    """The file of the features of the pack, with what lies beside it."""
    made = {"features": "npy", "encoder": "safetensors", "report": "json"}
    files = {key: str(tmp_path / f"bank.{suffix}") for key, suffix in made.items()}
    embed_pack(settings, data.files["pack"], **files, runtime=RUNTIME, threads=1)
    return files["features"]


@pytest.fixture
def run(data, settings, bank, tmp_path):
    """Train a head into a folder."""

    def run(runtime=RUNTIME, **changes) -> Path:
        asked = replace(settings, **changes)
        folder = tmp_path / asked.feature_head / "fold-0"
        train_run(
            asked, without_neutral("settings", asdict(asked)), 0, **data.files | {"pack": bank},
            folder=str(folder), code="c0de", formats=str(tmp_path), runtime=runtime, threads=1,
        )  # fmt: skip
        return folder

    return run


@pytest.mark.parametrize("head", HEADS)
def test_a_head_keeps_the_files_of_a_run(run, head):
    folder = run(feature_head=head)
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors", "history.csv", "predictions.csv", "run.json",
    }  # fmt: skip
    history = pd.read_csv(folder / "history.csv")
    assert len(history) == (1 if head == "logistic_regression" else 3)
    predictions = pd.read_csv(folder / "predictions.csv")
    assert history.val_auc.iloc[-1] == pytest.approx(
        roc_auc_score(predictions.label, predictions.probability)
    )


@pytest.mark.parametrize("head", HEADS)
def test_the_kept_model_predicts_from_pixels_what_the_head_did_from_features(run, data, tmp_path, head):
    folder = run(feature_head=head)
    made = pd.read_csv(folder / "predictions.csv", dtype={"id": str})
    models, reports = ([str(folder / name)] for name in ("model.safetensors", "run.json"))
    given = data.files["pack"], data.files["index"], str(tmp_path / "p.csv")
    predict_pack(models, reports, [], Ensemble(), *given, RUNTIME, 1)
    found = pd.read_csv(tmp_path / "p.csv", dtype={"id": str}).set_index("id").probability.loc[made.id]
    assert found.to_numpy() == pytest.approx(made.probability.to_numpy(), abs=1e-5)
    assert made.probability.std() > 1e-3  # or anything would do


def test_a_linear_head_learns_what_it_would_on_images_that_are_not_augmented(settings, bank, data):
    """The slow reference: the encoder computes the same features again in every step."""
    torch.manual_seed(settings.seed)
    on_images = Network(build(settings), settings.image_size, Format("contiguous", "fp32"))
    features = heads.Features(bank)
    on_features, micro_batch, _ = heads.make_network(settings, features)
    on_images.model.head.load_state_dict(on_features.model.head.state_dict())
    slow, expected = loop.fit(on_images, settings, data.patches, **data.subsets, micro_batch=8)
    fast, logits = heads.fit(on_features, settings, features, **data.subsets, micro_batch=micro_batch)
    assert logits.numpy() == pytest.approx(expected.numpy(), abs=1e-5)
    for key in ("train_loss", "val_loss", "val_auc", "lr"):
        assert [row[key] for row in fast.history] == pytest.approx(
            [row[key] for row in slow.history], abs=1e-5
        )


@pytest.mark.parametrize("micro_batch", [2, 8])
def test_the_hardest_patches_are_those_of_the_whole_batch(settings, bank, data, micro_batch):
    """However few patches go through the encoder at a time, which is what predictions go on with."""
    settings = replace(settings, hard_share=0.25)
    features = heads.Features(bank)
    whole, parted = (heads.make_network(settings, features)[0] for _ in range(2))
    _, expected = loop.fit(whole, settings, features, **data.subsets, micro_batch=settings.batch_size)
    done, logits = heads.fit(parted, settings, features, **data.subsets, micro_batch=micro_batch)
    assert torch.allclose(logits, expected, atol=1e-6)
    assert done.micro_batch == micro_batch


@pytest.mark.parametrize("pos_weight", [False, True])
def test_a_regression_is_at_the_minimum_of_its_objective(settings, bank, data, pos_weight):
    """On standardised features: the mean loss and half of weight_decay times the squared weights."""
    settings = replace(settings, feature_head="logistic_regression", weight_decay=0.1, pos_weight=pos_weight)
    features = heads.Features(bank)
    network, micro_batch, _ = heads.make_network(settings, features)
    heads.fit(network, settings, features, **data.subsets, micro_batch=micro_batch)
    inputs = torch.from_numpy(np.load(bank))[data.subset(-1).rows].double()
    labels, std, linear = data.subset(-1).labels.double(), inputs.std(0, correction=0), network.model.head[-1]
    weight = (linear.weight[0].detach().double() * std).requires_grad_()
    bias = (
        linear.bias[0].detach().double() + linear.weight[0].detach().double() @ inputs.mean(0)
    ).requires_grad_()
    logits = (inputs - inputs.mean(0)) / std @ weight + bias
    ratio = (1 - labels).sum() / labels.sum() if pos_weight else None
    loss = binary_cross_entropy_with_logits(logits, labels, pos_weight=ratio) + 0.05 * (weight**2).sum()
    loss.backward()
    assert weight.grad.abs().max() < 1e-4
    assert bias.grad.abs() < 1e-4


def test_a_perceptron_has_a_layer_between(run):
    report = json.loads((run(feature_head="mlp") / "run.json").read_text())
    assert report["model"]["hidden"] == heads.HIDDEN


def test_a_head_is_trained_on_the_cpu_in_float32_wherever_its_encoder_computed(run, bank):
    expected = pd.read_csv(run() / "predictions.csv")
    report = Path(bank).with_suffix(".json")
    report.write_text(json.dumps(json.loads(report.read_text()) | {"precision": "bf16"}))
    folder = run(runtime=RUNTIME | {"device": "cuda"})
    made = json.loads((folder / "run.json").read_text())
    assert (made["precision"], made["device"]) == ("bf16", device_name(torch.device("cpu")))
    found = pd.read_csv(folder / "predictions.csv")
    assert found.probability.to_numpy() == pytest.approx(expected.probability.to_numpy(), abs=1e-6)


def test_the_encoder_is_kept_as_it_was(run, bank):
    kept = safetensors.torch.load_file(run(feature_head="mlp") / "model.safetensors")
    encoder = safetensors.torch.load_file(Path(bank).with_suffix(".safetensors"))
    assert all(torch.equal(kept[name], value) for name, value in encoder.items())
