"""What a finished project holds."""

import json
import re

import pandas as pd
import pytest
from edits import configure
from plan import config_of, folders, run, snakemake
from scipy.special import expit, logit

RESULTS = ["epochs", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high", "train_seconds"]
SETTINGS = ["backbone", "weights", "image_size", "batch_size", "lr", "dropout", "augmentation.rotation"]
HISTORY = ["epoch", "train_loss", "val_loss", "val_auc", "lr", "seconds", "images_per_second"]


@pytest.fixture
def results(finished):
    return finished / "results/small"


def test_the_submission_follows_the_sample(finished, results):
    submission = pd.read_csv(results / "submission.csv")
    sample = pd.read_csv(finished / "data/small/sample_submission.csv")
    assert [*submission.columns] == ["id", "label"]
    assert [*submission.id] == [*sample.id]
    assert submission.label.between(0, 1).all()


@pytest.mark.parametrize("study", ["named", "rate"])
def test_a_study_table_holds_names_settings_and_results(finished, results, study):
    table = pd.read_csv(results / f"tables/{study}.csv", dtype={"run": str})
    assert {"run", "folder", *SETTINGS, *RESULTS} <= {*table.columns}
    assert {*table.folder} == folders(finished, *(f"{study}/{run}" for run in table.run))
    assert table.final_val_auc.is_monotonic_decreasing
    assert (table.val_auc_low <= table.final_val_auc).all()
    assert (table.final_val_auc <= table.val_auc_high).all()


def test_the_table_of_runs_maps_every_name_to_its_folder_and_settings(results):
    table = pd.read_csv(results / "tables/runs.csv", dtype={"run": str})
    assert {"study", "run", "folder", *SETTINGS} <= {*table.columns}
    assert [*zip(table.study, table.run, strict=True)] == [
        ("named", "bright"), ("named", "crossed"), ("named", "plain"), ("named", "slow"),
        ("rate", "lr=0.0001"), ("rate", "lr=1e-12"),
    ]  # fmt: skip
    # The same configuration in two studies is one training.
    assert table.folder.nunique() == 5


def test_each_run_keeps_its_history_predictions_and_facts(finished, results):
    split = pd.read_csv(results / "splits/main.csv")
    validation = {*split.id[split.fold == 0]}
    names = ("named/plain", "named/slow", "rate/lr=1e-12", "final of rate/lr=0.0001")
    for folder in folders(finished, *names):
        kept = results / "runs" / folder / "fold-0"
        assert {path.name for path in kept.iterdir()} == {
            "model.safetensors", "history.csv", "predictions.csv", "run.json",
        }  # fmt: skip
        history, predictions = (pd.read_csv(kept / f"{name}.csv") for name in ("history", "predictions"))
        assert [*history.columns] == HISTORY
        assert [*predictions.columns] == ["id", "label", "probability"]
        assert {*predictions.id} == validation
        assert predictions.probability.between(0, 1).all()


def test_folds_are_trained_apart_and_compared_together(finished, results):
    (folder,) = folders(finished, "named/crossed")
    split = pd.read_csv(results / "splits/crossed.csv")
    assert (split.groupby("slide").fold.nunique() == 1).all()
    for fold in (0, 1):
        predictions = pd.read_csv(results / f"runs/{folder}/fold-{fold}/predictions.csv")
        assert {*predictions.id} == {*split.id[split.fold == fold]}
    row = pd.read_csv(results / "tables/runs.csv").set_index("folder").loc[folder]
    assert (row.folds, row.validated_on) == (2, "unseen slides")
    assert row.fold_auc_sd >= 0


def test_what_is_held_out_is_seen_by_the_final_model_alone(finished, results):
    split = pd.read_csv(results / "splits/main.csv")
    held_out = {*split.id[split.fold == -2]}
    assert len(held_out) == 24
    predicted = pd.read_csv(results / "final/held_out_predictions.csv")
    assert {*predicted.id} == held_out
    metrics = json.loads((results / "final/metrics.json").read_text())
    assert (metrics["measured"]["on"], metrics["measured"]["patches"]) == ("held-out patches", 24)
    points = pd.read_csv(results / "final/operating_points.csv")
    assert {*points.chosen_on} == {"validation patches"}
    assert {*points.reported_on} == {"held-out patches"}


def test_the_final_model_is_explained_on_what_is_held_out(results):
    table = pd.read_csv(results / "final/attribution.csv")
    held_out = pd.read_csv(results / "final/held_out_predictions.csv").set_index("id")
    assert {*table.id} == {*held_out.index}
    assert table.probability.to_numpy() == pytest.approx(held_out.probability[table.id].to_numpy())
    summary = json.loads((results / "final/attribution.json").read_text())
    assert (summary["measured_on"], summary["patches"]) == ("held-out patches", 24)
    assert summary["interval"] == "by slide"


def test_the_summary_says_what_the_numbers_speak_about(results):
    text = (results / "tables/summary.md").read_text()
    for words in (
        "Split `main` draws patches at random: expect less on slides",
        "Split `crossed` keeps each slide on one side",
        "split main: 8 slides",
        "## Final model",
        "held-out patches",
        "### Where it looks",
    ):
        assert words in text


def test_the_final_model_is_the_winner_under_the_overrides(finished, results):
    best = json.loads((results / "final/best.json").read_text())
    assert best["run"] == "lr=0.0001"
    assert {best["final_folder"]} == folders(finished, "final of rate/lr=0.0001")
    overrides = config_of(finished)["experiments"]["small"]["final"]["overrides"]
    history = pd.read_csv(results / "runs" / best["final_folder"] / "fold-0/history.csv")
    assert len(history) == overrides["epochs"]


def test_padded_labels_are_used(results):
    summary = json.loads((results / "labels/summary.json").read_text())
    assert summary["after"] == {"patches": 120, "negative": 60, "positive": 60}


def test_the_report_is_one_file_that_needs_no_network(project):
    status, output = snakemake(project, "--report", "report.html")
    assert status == 0, output
    report = (project / "report.html").read_text()
    for result in ("study-named.png", "runs.csv", "summary.md", "metrics.json", "submission.csv"):
        assert result in report
    loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(https?:|//)", report)
    assert loaded == []


def test_a_calibrated_submission_has_the_recalibration_of_the_metrics(project):
    configure(project, ("overrides: {epochs: 4}", "overrides: {epochs: 4}, calibrated: true"))
    results = project / "results/small"
    raw = pd.read_csv(results / "submission.csv").label
    assert run(project).rules == {"submission"}
    fitted = json.loads((results / "final/metrics.json").read_text())["recalibration"]
    expected = expit(fitted["intercept"] + fitted["slope"] * logit(raw))
    calibrated = pd.read_csv(results / "submission.csv").label
    assert calibrated.tolist() == pytest.approx(expected.tolist())
    assert calibrated.rank().equals(raw.rank())


def test_a_data_set_without_a_sample_submission_is_predicted_all_the_same(project):
    (project / "data/small/sample_submission.csv").unlink()
    assert run(project).rules == {"test_ids", "submission", "summary"}
    submission = pd.read_csv(project / "results/small/submission.csv")
    assert [*submission.id] == [f"test{number:03d}" for number in range(12)]


def test_a_learning_rate_range_test_runs_when_its_figure_is_asked_for(project):
    (folder,) = folders(project, "named/plain")
    figure = f"results/small/figures/lr_range-{folder}.png"
    assert run(project, figure).rules == {"lr_range", "figure_lr_range"}
    rates = pd.read_csv(project / f"results/small/lr_range/{folder}.csv").lr
    assert rates.iloc[0] == pytest.approx(1e-6)
    assert rates.is_monotonic_increasing
    assert (project / figure).stat().st_size > 0
