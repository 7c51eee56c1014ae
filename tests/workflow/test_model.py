"""The exported model of a finished project, and its card."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from histopatch import inference
from histopatch.export.card import write_card
from histopatch.statistics.metrics import METRICS
from histopatch.statistics.operating_points import CRITERIA

DOCUMENT = (Path(__file__).parents[2] / "docs/model.md").read_text()


@pytest.fixture
def results(finished) -> Path:
    return finished / "results/small"


@pytest.fixture
def test_files(finished) -> list[Path]:
    return sorted((finished / "data/small/test").glob("*.tif"))


def test_a_copied_model_predicts_as_the_workflow_does(results, test_files, tmp_path):
    copy = shutil.copytree(results / "final/model", tmp_path / "copy")
    found = inference.load(copy, "cpu").predict(test_files)
    wanted = pd.read_csv(results / "final/test_predictions.csv").set_index("id").probability
    assert len(found) == 12
    assert np.allclose(found, wanted[[path.stem for path in test_files]], rtol=0, atol=1e-5)


def test_arrays_are_predicted_as_their_patches_are(results):
    model = inference.load(results / "final/model", "cpu")
    held_out = pd.read_csv(results / "final/held_out_predictions.csv")
    rows = pd.read_parquet(results / "pack/train.index.parquet").set_index("id").row[held_out.id]
    pixels = np.load(results / "pack/train.npy", mmap_mode="r")[rows]
    found = model.predict(pixels)
    assert np.allclose(found, held_out.probability, rtol=0, atol=1e-5)

    fitted = json.loads((results / "final/metrics.json").read_text())["recalibration"]
    recalibrated = expit(fitted["intercept"] + fitted["slope"] * logit(found))
    assert np.allclose(model.predict(pixels, recalibrated=True), recalibrated, rtol=0, atol=1e-9)

    points = pd.read_csv(results / "final/operating_points.csv").set_index("point")
    assert model.thresholds == dict(points.threshold)
    for name, point in points.iterrows():
        calls = found >= model.thresholds[name]
        assert (calls & (held_out.label == 1)).sum() == point.true_positives
        assert (calls & (held_out.label == 0)).sum() == point.false_positives


def test_the_lines_of_the_document_run(finished):
    lines = python_lines()[0]
    done = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=finished, env=os.environ | {"PYTHONPATH": "workflow"}, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"0\.\d+", done.stdout)) == 12


def test_the_lines_on_onnx_run_without_this_package(finished, results):
    done = subprocess.run(
        [sys.executable, "-c", python_lines()[1]], cwd=finished, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    (printed,) = re.findall(r"0\.\d+", done.stdout)
    wanted = pd.read_csv(results / "final/test_predictions.csv").set_index("id").probability
    assert float(printed) == pytest.approx(wanted.sort_index().iloc[0], abs=1e-5)


def python_lines() -> list[str]:
    """The examples of the document, on the finished project."""
    lines = DOCUMENT.replace("results/demo/source", "data/small").replace("results/demo", "results/small")
    return re.findall(r"```python\n(.*?)```", lines, re.DOTALL)


def test_the_document_names_every_key(results):
    description = json.loads((results / "final/model/model.json").read_text())
    assert {*description} - {*re.findall(r"`(\w+)`", DOCUMENT)} == set()


def test_the_card_says_what_the_tables_say(results):
    card = (results / "final/model/README.md").read_text()
    assert "Not a medical device" in card
    assert "patch of 96×96 pixels" in card
    measured = json.loads((results / "final/metrics.json").read_text())["measured"]
    assert f"AUROC {measured['auc']:.4f}" in card
    assert f"{measured['auc_low']:.4f}–{measured['auc_high']:.4f}" in card
    assert all(f"{measured[name]:.4f}" in card for name in METRICS)
    for point in pd.read_csv(results / "final/operating_points.csv").itertuples():
        assert f"| {CRITERIA[point.point]} | {point.threshold:.4f} | {point.sensitivity:.3f} " in card
    groups = pd.read_csv(results / "final/subgroups.csv", dtype={"value": str})
    for group in groups.itertuples():
        assert f"| {group.value} | {group.patches} | {group.positive} |" in card
    assert "gives a class away" in card or "give the label away" in card  # redness, in these patches
    for heading in ("Intended use", "Data", "Model", "Results", "Limits", "Licence"):
        assert f"\n## {heading}\n" in card
    assert not re.search(r"\b(nan|None|inf)\b", card)


def test_the_card_of_an_ensemble_of_ranks(results, tmp_path):
    """It names each kind of network once, and says nothing of calibration, which ranks have not."""
    final = json.loads((results / "final/best.json").read_text())["final_folder"]
    (report,) = (results / "runs" / final).glob("*/run.json")
    other = json.loads(report.read_text())
    other["settings"] |= {"backbone": "efficientnet_lite0", "weights": "imagenet"}
    other["model"] |= {"architecture": "tf_efficientnet_lite0"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    description = json.loads((results / "final/model/model.json").read_text())
    description |= {"average": "rank", "recalibration": None, "labels": {"0": "negative", "1": "tumour"}}
    (tmp_path / "model.json").write_text(json.dumps(description))
    sources = {
        name: str(results / path)
        for name, path in {
            "cleaning": "labels/summary.json", "flow": "splits/main.flow.csv",
            "audit": "splits/main.audit.json", "giveaways": "explore/giveaways.csv",
            "best": "final/best.json", "metrics": "final/metrics.json",
            "operating_points": "final/operating_points.csv", "subgroups": "final/subgroups.csv",
            "heterogeneity": "final/heterogeneity.csv", "runs": "tables/runs.csv",
            "seeds": "tables/seeds.csv",
        }.items()
    }  # fmt: skip
    tables = {name: sources.pop(name) for name in ("subgroups", "heterogeneity", "runs", "seeds")}
    reports = [str(report), str(report), str(tmp_path / "other.json")]
    write_card(str(tmp_path / "model.json"), reports, sources, tables, [], str(tmp_path / "card.md"))
    card = (tmp_path / "card.md").read_text()
    assert "3 networks, averaged by rank" in card
    assert "probability of label 1, `tumour`" in card
    assert card.count("A neural network (resnet18)") == card.count("(tf\\_efficientnet\\_lite0)") == 1
    assert "recalibrat" not in card and "Calibration:" not in card
    assert "random weights" in card and "under Apache-2.0" in card
