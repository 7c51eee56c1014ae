import json

import numpy as np
import pandas as pd
import pytest
import torch

from pcam.engine.predict import load_network, predict_pack
from pcam.engine.train import train_run

RUNTIME = {"device": "cpu", "workers": 1}


@pytest.fixture
def settings(tiny_settings) -> dict:
    return tiny_settings


@pytest.fixture
def run(data, settings, tmp_path):
    """A trained run: its model, its report and its predictions."""
    train_run(
        settings | {"epochs": 1, "image_size": 48}, 0, **data.files, folder=str(tmp_path / "run"),
        code="c0de", formats=str(tmp_path / "formats.json"), runtime=RUNTIME,
    )  # fmt: skip
    return tmp_path / "run"


def predict(run, pack, index, out) -> pd.DataFrame:
    predict_pack(
        str(run / "model.safetensors"), str(run / "run.json"), str(pack), str(index), str(out), RUNTIME
    )
    return pd.read_csv(out, dtype={"id": str})


def test_predictions_are_those_that_the_training_made(run, data, tmp_path):
    """So a test image is seen as a validation image was: size, normalisation, precision, no dropout."""
    found = predict(run, data.files["pack"], data.files["index"], tmp_path / "out.csv")
    assert list(found) == ["id", "probability"]
    assert found.probability.between(0, 1).all()
    made = pd.read_csv(run / "predictions.csv", dtype={"id": str})
    probabilities = found.set_index("id").probability.loc[made.id]
    assert probabilities.to_numpy() == pytest.approx(made.probability.to_numpy(), abs=1e-5)
    assert made.probability.std() > 1e-3  # or anything would do


def test_the_order_is_that_of_the_index(run, data, tmp_path):
    index = pd.read_csv(data.files["index"], dtype={"id": str})
    straight = predict(run, data.files["pack"], data.files["index"], tmp_path / "out.csv")
    assert straight.id.tolist() == index.id.tolist()
    chosen = index.sample(9, random_state=0)
    chosen.to_csv(tmp_path / "some.csv", index=False)
    some = predict(run, data.files["pack"], tmp_path / "some.csv", tmp_path / "out.csv")
    assert some.id.tolist() == chosen.id.tolist()
    expected = straight.set_index("id").probability.loc[some.id]
    assert np.allclose(some.probability, expected, atol=1e-5)


@pytest.mark.parametrize(("trained", "used"), [("fp32", "fp32"), ("bf16", "bf16"), ("fp16", "fp32")])
def test_a_network_computes_as_it_was_trained_where_the_device_can(run, trained, used):
    report = json.loads((run / "run.json").read_text()) | {"precision": trained, "layout": "channels_last"}
    network = load_network(str(run / "model.safetensors"), report, torch.device("cpu"))
    assert (network.compute.precision, network.compute.layout) == (used, "channels_last")
    assert network.image_size == 48


def test_no_weights_are_fetched_that_the_run_replaces(run, monkeypatch):
    """A run that began with ImageNet weights predicts on a machine without a network, too."""
    report = json.loads((run / "run.json").read_text())
    report["settings"]["weights"] = "a file that is gone.pth"
    assert load_network(str(run / "model.safetensors"), report, torch.device("cpu"))
