import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.interpretability.final import explain_final
from histopatch.statistics.ensembles import Ensemble

RUNTIME = {"device": "cpu", "workers": 1}
FILES = {
    "attribution": "attribution.csv",
    "summary": "attribution.json",
    "confident": "confident.csv",
    "maps": "confident.npy",
}


@dataclass
class Explained:
    attribution: pd.DataFrame
    summary: dict
    confident: pd.DataFrame
    maps: np.ndarray


def explain(trained, held_out: str | None = None, ensemble=Ensemble()) -> Explained:  # noqa: B008
    outputs = {key: str(trained.folder / name) for key, name in FILES.items()}
    files = [trained.of_folds(name) for name in ("model.safetensors", "run.json", "predictions.csv")]
    explain_final(*files, held_out, ensemble, **trained.data, runtime=RUNTIME, threads=1, outputs=outputs)
    tables = {key: pd.read_csv(outputs[key], dtype={"id": str}) for key in ("attribution", "confident")}
    summary = json.loads(Path(outputs["summary"]).read_text())
    return Explained(**tables, summary=summary, maps=np.load(outputs["maps"]))


def test_a_shortcut_in_the_border_is_exposed_by_both_numbers(train_on_mark):
    """Trained by the real loop, both models make nearly no errors: metrics do not tell them apart."""
    summaries = {}
    for place in ("border", "centre"):
        explained = explain(train_on_mark(place))
        right = (explained.attribution.probability >= 0.5) == explained.attribution.label
        assert right.mean() > 0.95
        summaries[place] = explained.summary
    border, centre = summaries["border"], summaries["centre"]
    chance = border["area_share"]
    for number in ("grad_cam", "occlusion"):
        assert border[number]["all"]["high"] < chance + 0.01
        # Evidence for "negative" is that there is no mark, which may be anywhere.
        assert border[number]["positive"]["high"] < chance
        assert centre[number]["all"]["mean"] > 2 * chance
        assert centre[number]["positive"]["low"] > 5 * chance
    assert border["grad_cam"]["all"]["high"] < chance
    assert border["change_without_centre"]["mean"] < border["change_without_border"]["mean"] / 5


def test_validation_patches_are_explained_by_the_network_of_their_fold(train_on_mark):
    trained = train_on_mark("centre", folds=2, count=90, epochs=1)
    explained = explain(trained)
    fold = pd.read_csv(trained.data["split"], dtype={"id": str}).set_index("id").fold
    table = explained.attribution
    assert set(table.network) == {0, 1}
    assert (table.network.to_numpy() == fold[table.id]).all()
    # The probabilities are those that the training wrote, and the logits agree with them.
    made = pd.concat(pd.read_csv(path, dtype={"id": str}) for path in trained.of_folds("predictions.csv"))
    expected = made.set_index("id").probability[table.id].to_numpy()
    assert table.probability.to_numpy() == pytest.approx(expected)
    assert 1 / (1 + np.exp(-table.logit.to_numpy())) == pytest.approx(expected, abs=1e-4)
    assert explained.summary["measured_on"] == "validation patches"
    assert (explained.summary["patches"], explained.summary["networks"]) == (60, 2)
    assert explained.summary["interval"] == "by slide"


def test_held_out_patches_are_explained_instead(train_on_mark):
    trained = train_on_mark("centre", folds=2, count=90, epochs=1)
    split = pd.read_csv(trained.data["split"], dtype={"id": str})
    others = split[split.fold == -1].assign(probability=np.linspace(0, 1, 30))
    held_out = trained.folder / "held_out_predictions.csv"
    others[["id", "label", "probability"]].to_csv(held_out, index=False)
    explained = explain(trained, str(held_out))
    assert explained.attribution.id.tolist() == sorted(others.id)
    assert explained.attribution.network.tolist() == [0, 1] * 15
    assert explained.summary["measured_on"] == "held-out patches"


def test_of_an_ensemble_the_member_that_is_explained_is_shown_with_its_own_predictions(train_on_mark):
    trained = train_on_mark("centre", count=90, epochs=1)
    split = pd.read_csv(trained.data["split"], dtype={"id": str})
    others = split[split.fold == 0].assign(
        probability=0.5, member_1=np.linspace(0, 1, 30), member_2=np.linspace(1, 0, 30)
    )
    held_out = trained.folder / "held_out_predictions.csv"
    others[["id", "label", "probability", "member_1", "member_2"]].to_csv(held_out, index=False)
    shown = explain(trained, str(held_out), Ensemble(2, "rank")).attribution.set_index("id").probability
    assert shown[others.id].tolist() == pytest.approx(others.member_1.tolist())


def test_the_most_confident_predictions_have_their_maps_row_by_row(train_on_mark):
    trained = train_on_mark("centre", count=90, epochs=1)
    explained = explain(trained)
    predictions = pd.read_csv(trained.of_folds("predictions.csv")[0], dtype={"id": str})
    assert explained.maps.shape == (len(explained.confident), 96, 96)
    for label, group in explained.confident.groupby("label"):
        same = predictions[predictions.label == label]
        farthest = (same.probability - 0.5).abs().idxmax()
        assert same.id[farthest] in set(group.id)
    both = explained.confident.merge(explained.attribution, on="id", suffixes=("", "_sampled"))
    assert len(both) == len(explained.confident)  # the sample has all of so few
    shares = explained.maps[:, 32:64, 32:64].sum(axis=(1, 2)) / explained.maps.sum(axis=(1, 2))
    assert both.centre_share.to_numpy() == pytest.approx(both.centre_share_sampled.to_numpy())
    assert both.centre_share.to_numpy() == pytest.approx(shares, abs=0.03)


def test_a_final_training_that_failed_is_not_explained(tmp_path):
    report = tmp_path / "run.json"
    report.write_text(json.dumps({"failed": "no memory"}))
    with pytest.raises(InputError, match=r"^the final training failed: no memory"):
        explain_final(["m"], [str(report)], ["p"], None, Ensemble(), "s", "k", "i", RUNTIME, 1, {})
