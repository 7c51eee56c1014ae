"""The best runs of a study together as the final model."""

import json

import numpy as np
import pandas as pd
from edits import configure
from plan import EXPLANATION, FINAL, LABEL_ERRORS, MODEL, PERFORMANCE, folders, plan, run

from histopatch.statistics.ensembles import rank

OVERRIDES = "overrides: {epochs: 4}"
# What is made of the predictions of the final model.
PREDICTIONS = {
    "predict_test", "predict_held_out", "submission", "final_metrics", "errors", "explain",
    "summary", "checklists",
    *PERFORMANCE, *EXPLANATION, *LABEL_ERRORS, *MODEL,
}  # fmt: skip


def test_the_two_best_runs_are_one_final_model(project):
    results = project / "results/small"
    members = [*folders(project, "final of rate/lr=0.0001"), *folders(project, "final of rate/lr=1e-12")]
    before = table(results / "final/held_out_predictions.csv").probability

    configure(project, (OVERRIDES, f"{OVERRIDES}, ensemble: 2"))
    jobs = run(project)
    assert jobs.trainings == {members[1]}
    assert jobs.rules == FINAL | {"best", "train"}
    best = json.loads((results / "final/best.json").read_text())
    assert best["final_folder"] == members[0]
    assert [member["final_folder"] for member in best["members"]] == members
    held_out, test = (table(results / f"final/{part}_predictions.csv") for part in ("held_out", "test"))
    for predicted in (held_out, test):
        alone = predicted[["member_1", "member_2"]]
        assert np.allclose(predicted.probability, alone.mean(axis=1), atol=1e-12)
    assert np.allclose(held_out.member_1, before, atol=1e-6)
    submission = pd.read_csv(results / "submission.csv").set_index("id").label
    assert np.allclose(submission[test.index], test.probability, atol=1e-12)
    ensemble = json.loads((results / "final/metrics.json").read_text())["ensemble"]
    assert [member["final_folder"] for member in ensemble["members"]] == members
    assert "The final model is an ensemble of 2 runs" in (results / "tables/summary.md").read_text()

    # All that it is made of is kept.
    assert plan(project).rules == set()
    (results / f"runs/{members[1]}/fold-0/model.safetensors").unlink()
    assert plan(project).trainings == {members[1]}
    (results / f"runs/{members[1]}").rename(results / "runs/away")
    configure(project, ("ensemble: 2", "ensemble: 1"))
    assert plan(project).known == {"best"}


def test_another_average_trains_nothing(project):
    configure(project, (OVERRIDES, f"{OVERRIDES}, average: rank"))
    assert plan(project).rules == PREDICTIONS
    results = project / "results/small"
    (folder,) = folders(project, "final of rate/lr=0.0001")
    known = pd.read_csv(results / f"runs/{folder}/fold-0/predictions.csv").probability
    before = table(results / "final/held_out_predictions.csv").probability
    run(
        project, "results/small/report.html"
    )  # with all figures and texts, some of which say why they are empty
    ranks = table(results / "final/held_out_predictions.csv").probability
    assert np.allclose(ranks, rank(before, known), atol=1e-5)
    assert "averages ranks, which are no probabilities" in (results / "tables/checklists.md").read_text()


def table(path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"id": str}).set_index("id")
