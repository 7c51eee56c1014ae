import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch

from histopatch.backbones.catalogue import BACKBONES
from histopatch.engine import predict as predict_module
from histopatch.engine.network import Network
from histopatch.engine.predict import load_network, predict_held_out, predict_pack
from histopatch.engine.train import train_run
from histopatch.errors import InputError
from histopatch.files import read_table, write_table
from histopatch.settings import Settings
from histopatch.statistics.ensembles import Ensemble, rank

RUNTIME = {"device": "cpu", "workers": 1}


@pytest.fixture
def settings(tiny_settings) -> Settings:
    return tiny_settings


@pytest.fixture
def train(data, settings, tmp_path):
    def run(seed: int, **changes):
        folder = tmp_path / f"run-{seed}"
        asked = replace(settings, epochs=1, image_size=48, seed=seed, **changes)
        train_run(
            asked, asdict(asked), 0, **data.files, folder=str(folder), code="c0de",
            formats=str(tmp_path / "formats"), runtime=RUNTIME, threads=1,
        )  # fmt: skip
        return folder

    return run


@pytest.fixture
def run(train):
    """A trained run: its model, its report and its predictions."""
    return train(3)


def files(*runs) -> tuple[list[str], list[str]]:
    return tuple([str(run / name) for run in runs] for name in ("model.safetensors", "run.json"))


def predict(run, pack, index, out) -> pd.DataFrame:
    predict_pack(*files(run), [], Ensemble(), str(pack), str(index), str(out), RUNTIME, 1)
    return pd.read_csv(out, dtype={"id": str})


@pytest.mark.parametrize("stain", ["none", "macenko", "reinhard"])
def test_predictions_are_those_that_the_training_made(train, data, tmp_path, stain):
    """So a test image is seen as a validation image was: size, stain, colours, precision, no dropout."""
    run = train(3, stain_normalisation=stain)
    found = predict(run, data.files["pack"], data.files["index"], tmp_path / "out.csv")
    assert list(found) == ["id", "probability"]
    assert found.probability.between(0, 1).all()
    made = pd.read_csv(run / "predictions.csv", dtype={"id": str})
    probabilities = found.set_index("id").probability.loc[made.id]
    assert probabilities.to_numpy() == pytest.approx(made.probability.to_numpy(), abs=1e-5)
    assert made.probability.std() > 1e-3  # or anything would do


def test_the_order_is_that_of_the_index(run, data, tmp_path):
    index = read_table(data.files["index"])
    straight = predict(run, data.files["pack"], data.files["index"], tmp_path / "out.csv")
    assert straight.id.tolist() == index.id.tolist()
    chosen = index.sample(9, random_state=0)
    write_table(chosen, tmp_path / "some.parquet")
    some = predict(run, data.files["pack"], tmp_path / "some.parquet", tmp_path / "out.csv")
    assert some.id.tolist() == chosen.id.tolist()
    expected = straight.set_index("id").probability.loc[some.id]
    assert np.allclose(some.probability, expected, atol=1e-5)


@pytest.mark.parametrize(("trained", "used"), [("fp32", "fp32"), ("bf16", "bf16"), ("fp16", "fp32")])
def test_a_network_computes_as_it_was_trained_where_the_device_can(run, trained, used):
    report = json.loads((run / "run.json").read_text()) | {"precision": trained, "layout": "channels_last"}
    network = load_network(str(run / "model.safetensors"), report, torch.device("cpu"))
    assert (network.compute.precision, network.compute.layout) == (used, "channels_last")
    assert network.image_size == 48


def test_run_json_alone_says_what_the_network_is(run, data, tmp_path, monkeypatch):
    """A later version may have dropped the backbone or changed what its name stands for."""
    given = data.files["pack"], data.files["index"], tmp_path / "out.csv"
    before = predict(run, *given)
    monkeypatch.delitem(BACKBONES, "tiny")
    assert predict(run, *given).equals(before)


def test_no_weights_are_fetched_that_the_run_replaces(run, monkeypatch):
    """A run that began with ImageNet weights predicts on a machine without a network, too."""
    report = json.loads((run / "run.json").read_text())
    report["settings"]["weights"] = "a file that is gone.pth"
    assert load_network(str(run / "model.safetensors"), report, torch.device("cpu"))


def test_several_folds_predict_their_mean(train, data, tmp_path):
    one, other = train(1), train(2)
    given = data.files["pack"], data.files["index"], tmp_path / "out.csv"
    alone = [predict(run, *given).probability for run in (one, other)]
    predict_pack(*files(one, other), [], Ensemble(), *map(str, given), RUNTIME, 1)
    both = pd.read_csv(given[-1]).probability
    assert np.allclose(both, (alone[0] + alone[1]) / 2, atol=1e-6)
    assert not np.allclose(both, alone[0], atol=1e-4)


def test_members_are_averaged_and_kept(train, data, tmp_path):
    """Two members of two folds each: by rank, that of a fold is among what it predicted for validation."""
    runs = [train(seed) for seed in (1, 2, 3, 4)]
    given = data.files["pack"], data.files["index"], tmp_path / "out.csv"
    alone = [predict(run, *given).probability for run in runs]
    references = [str(run / "predictions.csv") for run in runs]
    predict_pack(*files(*runs), references, Ensemble(2, "rank"), *map(str, given), RUNTIME, 1)
    found = pd.read_csv(given[-1])
    ranks = [rank(p, pd.read_csv(r).probability) for p, r in zip(alone, references, strict=True)]
    assert [*found] == ["id", "probability", "member_1", "member_2"]
    assert np.allclose(found.probability, sum(ranks) / 4, atol=1e-5)
    assert np.allclose(found.member_1, (ranks[0] + ranks[1]) / 2, atol=1e-5)
    assert np.allclose(found.member_2, (ranks[2] + ranks[3]) / 2, atol=1e-5)
    assert not np.allclose(found.member_1, found.member_2, atol=1e-2)


def test_what_is_held_out_is_predicted_with_its_labels(run, data, tmp_path):
    split = data.table[["id", "label", "fold"]].assign(slide="")
    split.loc[split.index[5:9], "fold"] = -2
    split.to_csv(tmp_path / "split.csv", index=False)
    given = data.files["pack"], data.files["index"], str(tmp_path / "split.csv"), str(tmp_path / "out.csv")
    predict_held_out(*files(run), [], Ensemble(), *given, RUNTIME, 1)
    found = pd.read_csv(tmp_path / "out.csv", dtype={"id": str})
    assert found[["id", "label"]].to_numpy().tolist() == split[["id", "label"]][5:9].to_numpy().tolist()
    every = predict(run, *given[:2], tmp_path / "every.csv").set_index("id").probability
    assert np.allclose(found.probability, every.loc[found.id], atol=1e-5)


def test_a_split_that_holds_out_nothing_is_refused(run, data, tmp_path):
    given = data.files["pack"], data.files["index"], data.files["split"], str(tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"main\.csv: nothing is held out"):
        predict_held_out(*files(run), [], Ensemble(), *given, RUNTIME, 1)


@pytest.mark.input("Training", "A final training that fails", "one line; nothing is predicted")
def test_a_final_training_that_failed_predicts_nothing(run, data, tmp_path):
    (run / "run.json").write_text(json.dumps({"failed": "no memory"}))
    with pytest.raises(InputError, match=r"^the final training failed: no memory"):
        predict(run, data.files["pack"], data.files["index"], tmp_path / "out.csv")


def test_what_was_predicted_before_an_interruption_is_not_predicted_again(train, data, tmp_path, monkeypatch):
    """Of two networks: the first, and a part of the second."""
    runs, given = [train(3), train(4)], (data.files["pack"], data.files["index"])
    count, whole, calls, ends = len(data.table), tmp_path / "whole.csv", [], []
    predict_pack(*files(*runs), [], Ensemble(), *map(str, given), str(whole), RUNTIME, 1, "c0de")
    predict_network = Network.predict

    def counted(self, patches, rows, micro_batch):
        if ends and sum(calls) >= ends[0]:
            raise KeyboardInterrupt
        calls.append(len(rows))
        return predict_network(self, patches, rows, micro_batch)

    monkeypatch.setattr(Network, "predict", counted)
    monkeypatch.setattr(predict_module, "CHUNK", 16)
    out = tmp_path / "out/parts.csv"
    ends.append(count + 16)
    with pytest.raises(KeyboardInterrupt):
        predict_pack(*files(*runs), [], Ensemble(), *map(str, given), str(out), RUNTIME, 1, "c0de")
    ends.clear()
    calls.clear()
    predict_pack(*files(*runs), [], Ensemble(), *map(str, given), str(out), RUNTIME, 1, "c0de")
    assert sum(calls) == count - 16
    found, expected = (pd.read_csv(path, dtype={"id": str}) for path in (out, whole))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5)
    assert [path.name for path in out.parent.iterdir()] == ["parts.csv"]


def test_what_was_predicted_in_another_precision_is_predicted_again(run, data, tmp_path, monkeypatch):
    """On another machine, which lacks it."""
    given = *files(run), [], Ensemble(), data.files["pack"], data.files["index"], str(tmp_path / "out.csv")
    monkeypatch.setattr(predict_module, "CHUNK", 16)
    load, calls, predict_network = predict_module.load_network, [], Network.predict

    def counted(self, patches, rows, micro_batch):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(len(rows))
        return predict_network(self, patches, rows, micro_batch)

    with monkeypatch.context() as patch:
        patch.setattr(Network, "predict", counted)
        in_bf16 = lambda model, run, device: load(model, run | {"precision": "bf16"}, device)  # noqa: E731
        patch.setattr(predict_module, "load_network", in_bf16)
        with pytest.raises(KeyboardInterrupt):
            predict_pack(*given, RUNTIME, 1)
    predict_pack(*given, RUNTIME, 1)
    whole = predict(run, data.files["pack"], data.files["index"], tmp_path / "whole.csv")
    found = pd.read_csv(tmp_path / "out.csv").probability
    assert found.to_numpy() == pytest.approx(whole.probability.to_numpy(), abs=1e-6)
