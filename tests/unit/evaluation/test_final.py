import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from histopatch.data import folds
from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.splits import split_files
from histopatch.errors import InputError
from histopatch.evaluation.compare import compare_runs
from histopatch.evaluation.final import final_tables
from histopatch.files import read_table
from histopatch.settings import Split
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.recalibration import fit_recalibration, recalibrate
from histopatch.statistics.weak_calibration import weak_calibration

SPLIT = Split(validation_fraction=0.15, seed=42, group_by="slide")
PREVALENCES = [0.01, 0.3]
ONE = Ensemble(members=1)
TABLES = [
    "metrics", "operating_points", "reliability", "roc", "precision_recall", "decision_curve", "abstaining",
    "error_by_coverage", "auc_by_group",
]  # fmt: skip


def draw(count: int, seed: int, slides: int | None = 8, shift: float = 2.0) -> pd.DataFrame:
    """Predictions of a model that is too sure of itself, in no order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    logits = 8 * rng.normal(shift * (labels - 0.5))
    table = pd.DataFrame({"id": [f"{seed}-{i:03d}" for i in range(count)], "label": labels})
    table["probability"] = 1 / (1 + np.exp(-logits))
    table["slide"] = "" if slides is None else [f"{seed}-{i % slides}" for i in range(count)]
    return table


@pytest.fixture
def measured(tmp_path):
    """The tables of a final model from its predictions."""

    def run(
        *validated: pd.DataFrame,
        held_out: pd.DataFrame | None = None,
        split=SPLIT,
        chosen_from=4,
        ensemble=ONE,
        others: Sequence[pd.DataFrame] = (),
    ) -> dict:
        """others: the predictions that the other members of an ensemble made of the same patches."""
        best = tmp_path / "best.json"
        members = [{"run": name, "final_folder": f"{name}-final"} for name in "abc"[: ensemble.members]]
        choice = {"chosen_from": chosen_from, "final_folder": "a-final", "members": members}
        best.write_text(json.dumps(choice))
        parts = [*validated] if held_out is None else [*validated, held_out]
        fold_of = [*range(len(parts))] if held_out is None else [*range(len(parts) - 1), folds.HELD_OUT]
        split_table = pd.concat(part.assign(fold=fold) for part, fold in zip(parts, fold_of, strict=True))
        split_table[["id", "slide", "fold"]].to_csv(tmp_path / "split.csv", index=False)
        paths = [tmp_path / f"predictions-{i}.csv" for i in range(len(parts))]
        for part, path in zip(parts, paths, strict=True):
            part.drop(columns="slide").to_csv(path, index=False)
        tables = {name: str(tmp_path / f"{name}.csv") for name in TABLES}
        held_out_path = None if held_out is None else str(paths.pop())
        for number, other in enumerate(others):
            paths.append(tmp_path / f"other-{number}.csv")
            other.drop(columns="slide").to_csv(paths[-1], index=False)
        final_tables(
            str(best),
            [*map(str, paths)],
            held_out_path,
            ensemble,
            split,
            str(tmp_path / "split.csv"),
            PREVALENCES,
            tables,
        )
        metrics = json.loads((tmp_path / "metrics.csv").read_text())
        return {"metrics": metrics} | {name: read_table(tables[name]) for name in TABLES[1:]}

    return run


VALIDATION, HELD_OUT = draw(200, seed=1), draw(160, seed=2)


def test_what_is_held_out_is_measured_beside_the_validation_part(measured):
    metrics = measured(VALIDATION, held_out=HELD_OUT)["metrics"]
    assert metrics["val_auc"] == pytest.approx(roc_auc_score(VALIDATION.label, VALIDATION.probability))
    found = metrics["measured"]
    assert found["on"] == "held-out patches"
    assert found["auc"] == pytest.approx(roc_auc_score(HELD_OUT.label, HELD_OUT.probability))
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert (found["patches"], found["auc_interval"]) == (160, "slide jackknife")
    assert (metrics["val_patches"], metrics["final_folder"]) == (200, "a-final")
    assert metrics["validated_on"] == "unseen slides"
    assert found["kind"] == "unseen slides"
    assert "chosen among 4 by its validation metric" in metrics["note"]
    assert "the held-out patches took no part in it" in metrics["note"]
    assert found["units"].pop("for_0.01") > 8
    assert found["units"] == {"kind": "slide", "count": 8, "with_positives": 8, "with_negatives": 8}


def test_what_is_held_out_is_of_unseen_slides_even_where_patches_validate_at_random(measured):
    metrics = measured(VALIDATION, held_out=HELD_OUT, split=dataclasses.replace(SPLIT, group_by="none"))[
        "metrics"
    ]
    assert metrics["validated_on"].startswith("random patches")
    assert metrics["measured"]["kind"] == "unseen slides"


def test_without_held_out_patches_the_metrics_are_called_optimistic(measured):
    metrics = measured(VALIDATION)["metrics"]
    assert metrics["measured"]["on"] == "validation patches"
    assert metrics["measured"]["auc"] == metrics["val_auc"]
    assert "flatters its results on these very patches: expect less on new ones." in metrics["note"]


def test_calibration_is_of_what_is_measured_and_beside_chance(measured):
    found = measured(VALIDATION, held_out=HELD_OUT)["metrics"]["measured"]
    expected = weak_calibration(HELD_OUT.label, HELD_OUT.probability, HELD_OUT.slide)
    calibration = found["calibration"]
    assert calibration["slope"] == pytest.approx(expected.slope.value)
    assert calibration["slope"] < calibration["slope_high"] < 1  # the model is too sure of itself
    assert calibration["intercept_low"] == pytest.approx(expected.intercept.low)
    assert calibration["ece_by_chance"] < calibration["ece_by_chance_high"] < found["ece"]


def test_what_is_not_finite_is_null_in_the_metrics(measured):
    perfect = HELD_OUT.assign(probability=0.1 + 0.8 * HELD_OUT.label)
    calibration = measured(VALIDATION, held_out=perfect)["metrics"]["measured"]["calibration"]
    assert calibration["slope"] is None
    assert calibration["intercept"] is not None


def test_abstaining_is_chosen_on_validation_patches_and_reported_on_held_out_ones(measured):
    tables = measured(VALIDATION, held_out=HELD_OUT)
    points = tables["abstaining"]
    assert points.share.tolist() == [0.05, 0.1, 0.2, 0.3]
    assert {*points.chosen_on} == {"validation patches"}
    assert {*points.reported_on} == {"held-out patches"}
    sure = np.abs(VALIDATION.probability - 0.5)
    assert [(sure < confidence).mean() for confidence in points.confidence] == points.share.tolist()
    wrong = (HELD_OUT.probability >= 0.5) != HELD_OUT.label
    called = np.abs(HELD_OUT.probability - 0.5) >= points.confidence[3]
    assert points.error[3] == pytest.approx(wrong[called].mean())
    assert tables["error_by_coverage"].error.iloc[-1] == pytest.approx(wrong.mean())


def test_net_benefit_is_of_what_is_measured(measured):
    curve = measured(VALIDATION, held_out=HELD_OUT)["decision_curve"].set_index("threshold")
    treated = HELD_OUT.probability >= 0.2
    right, wrong = (treated & (HELD_OUT.label == label) for label in (1, 0))
    assert curve.net_benefit[0.2] == pytest.approx((right.sum() - wrong.sum() * 0.2 / 0.8) / 160)


def test_where_nothing_was_chosen_nothing_is_optimistic(measured):
    assert measured(VALIDATION, chosen_from=1)["metrics"]["note"] == ""


def test_thresholds_are_chosen_on_other_patches_than_they_are_reported_on(measured):
    points = measured(VALIDATION, held_out=HELD_OUT)["operating_points"].set_index("point")
    assert set(points.chosen_on) == {"validation patches"}
    assert set(points.reported_on) == {"held-out patches"}
    positives = VALIDATION.probability[VALIDATION.label == 1]
    row = points.loc["sensitivity_95"]
    assert (positives >= row.threshold).mean() >= 0.95
    called = HELD_OUT.probability >= row.threshold
    assert row.true_positives == (called & (HELD_OUT.label == 1)).sum()
    assert row.false_positives == (called & (HELD_OUT.label == 0)).sum()
    ratio = row.sensitivity * 0.01 / (row.sensitivity * 0.01 + (1 - row.specificity) * 0.99)
    assert row["ppv_at_0.01"] == pytest.approx(ratio)
    assert {"npv_at_0.01", "ppv_at_0.3", "npv_at_0.3"} <= {*points.columns}


def test_without_one_a_half_chooses_and_the_other_half_reports(measured):
    points = measured(VALIDATION)["operating_points"]
    (chosen_on,), (reported_on,) = set(points.chosen_on), set(points.reported_on)
    assert (chosen_on, reported_on) == (
        "one half of the validation patches",
        "the other half of the validation patches",
    )
    counts = ["true_positives", "false_positives", "true_negatives", "false_negatives"]
    assert points[counts].sum(axis=1).tolist() == [100] * 3


def test_the_recalibration_of_the_submission_is_fitted_on_all_validation_patches(measured):
    found = measured(VALIDATION)
    expected = fit_recalibration(VALIDATION.label, VALIDATION.probability)
    assert found["metrics"]["recalibration"] == pytest.approx(expected._asdict())
    assert expected.slope < 0.4


def test_reliability_before_and_after_is_of_patches_that_did_not_fit(measured):
    table = measured(VALIDATION, held_out=HELD_OUT)["reliability"]
    before, after = (table[table.calibration == name] for name in ("before", "after"))
    fitted = fit_recalibration(VALIDATION.label, VALIDATION.probability)
    columns = ["recalibration_intercept", "recalibration_slope"]
    assert before[columns].to_numpy() == pytest.approx(np.tile([0, 1], (len(before), 1)))
    assert after[columns].to_numpy() == pytest.approx(np.tile(fitted, (len(after), 1)))
    for part, probabilities in (
        (before, HELD_OUT.probability),
        (after, recalibrate(HELD_OUT.probability, fitted)),
    ):
        assert part.patches.sum() == 160
        assert np.average(part.mean_probability, weights=part.patches) == pytest.approx(probabilities.mean())
    assert after.ece.iloc[0] < before.ece.iloc[0]
    assert set(table.reported_on) == {"held-out patches"}


def test_recalibration_undoes_a_loss_that_weights_the_positives(measured):
    """A model that is calibrated but for a weight of 9, which adds log 9 to its logits."""
    parts = []
    for seed in (7, 8):
        part = draw(6000, seed)
        true = np.random.default_rng(seed).normal(-0.5, 2, len(part))
        part["label"] = (np.random.default_rng(seed + 2).random(len(part)) < 1 / (1 + np.exp(-true))).astype(
            int
        )
        part["probability"] = 1 / (1 + np.exp(-true - np.log(9)))
        parts.append(part)
    table = measured(parts[0], held_out=parts[1])["reliability"].groupby("calibration").ece.first()
    assert table["after"] < 0.02 < 0.2 < table["before"]


def test_a_model_that_ranks_backwards_is_said_to_be_flattened(measured):
    assert "ecalibration" not in measured(VALIDATION)["metrics"]["note"]
    backwards = VALIDATION.assign(probability=1 - VALIDATION.probability)
    found = measured(backwards)["metrics"]
    assert "Recalibration makes all probabilities nearly the share of positives" in found["note"]
    assert found["recalibration"]["slope"] > 0


def test_curves_are_of_the_measured_patches(measured):
    found = measured(VALIDATION, held_out=HELD_OUT)
    roc = found["roc"]
    area = np.trapezoid(roc.true_positive_rate, roc.false_positive_rate)
    assert area == pytest.approx(found["metrics"]["measured"]["auc"], abs=5e-3)
    steps = found["precision_recall"].sort_values("recall")
    average = (steps.recall.diff() * steps.precision).sum()
    assert average == pytest.approx(found["metrics"]["measured"]["average_precision"], abs=5e-3)


def test_the_auroc_is_within_folds_and_the_pooled_one_stands_beside_it(measured):
    halves = draw(100, seed=3), draw(100, seed=4)
    metrics = measured(*halves, split=dataclasses.replace(SPLIT, folds=2))["metrics"]
    pooled = pd.concat(halves)
    aurocs = [roc_auc_score(fold.label, fold.probability) for fold in halves]
    assert metrics["val_auc"] == pytest.approx(np.mean(aurocs))
    assert metrics["val_fold_auc_mean"] == pytest.approx(np.mean(aurocs))
    assert metrics["val_pooled_auc"] == pytest.approx(roc_auc_score(pooled.label, pooled.probability))
    assert metrics["val_auc_low"] < metrics["val_auc"] < metrics["val_auc_high"]
    assert metrics["val_fold_auc_sd"] == pytest.approx(np.std(aurocs, ddof=1))
    assert metrics["folds"] == 2
    assert (
        "predicted by the one network that did not train on it, a new patch by the mean of the 2."
        in metrics["note"]
    )


SECOND = draw(200, seed=1).assign(probability=np.random.default_rng(5).random(200))


def test_members_are_averaged_on_the_validation_patches(measured):
    found = measured(VALIDATION, others=[SECOND], ensemble=Ensemble(2, "logit"))["metrics"]
    clipped = [part.probability.clip(2.0**-24, 1 - 2.0**-24) for part in (VALIDATION, SECOND)]
    logits = [np.log(probability / (1 - probability)) for probability in clipped]
    assert found["val_auc"] == pytest.approx(roc_auc_score(VALIDATION.label, sum(logits)))
    expected = fit_recalibration(VALIDATION.label, 1 / (1 + np.exp(-sum(logits) / 2)))
    assert found["recalibration"] == pytest.approx(expected._asdict())  # of what is submitted


def test_ranks_of_validation_patches_are_within_their_fold(measured):
    """Each network ranks what it predicts itself, whatever the level of another fold's network."""
    halves, others = (draw(100, seed=3), draw(100, seed=4)), (draw(100, seed=3), draw(100, seed=4))
    lifted = halves[1].assign(probability=0.9 + halves[1].probability / 10)
    split = dataclasses.replace(SPLIT, folds=2)
    found = measured(halves[0], lifted, others=others, ensemble=Ensemble(2, "rank"), split=split)
    metrics = found["metrics"]
    ranks = [part.probability.rank(pct=True) for part in halves]
    labels = pd.concat(half.label for half in halves)
    assert metrics["val_auc"] == pytest.approx(roc_auc_score(labels, pd.concat(ranks)))
    assert (
        "predicted by the 2 networks that did not train on it, a new patch by the mean of the 4."
        in metrics["note"]
    )
    assert "mean ranks, not probabilities" in metrics["note"]
    assert [name for name, table in found.items() if len(table) == 0] == [
        "reliability", "decision_curve", "abstaining",
    ]  # fmt: skip


def test_the_gain_of_an_ensemble_is_measured_on_what_is_held_out(measured):
    rng = np.random.default_rng(6)
    one = HELD_OUT.probability.to_numpy()
    two = np.clip(one + rng.normal(0, 0.4, len(one)), 0, 1)
    held_out = HELD_OUT.assign(probability=(one + two) / 2, member_1=one, member_2=two)
    found = measured(VALIDATION, others=[SECOND], held_out=held_out, ensemble=Ensemble(2))["metrics"]
    ensemble = found["ensemble"]
    aurocs = [roc_auc_score(held_out.label, held_out[f"member_{n}"]) for n in (1, 2)]
    assert (ensemble["average"], ensemble["on"]) == ("probability", "held-out patches")
    assert [member["run"] for member in ensemble["members"]] == ["a", "b"]
    assert [member["auc"] for member in ensemble["members"]] == pytest.approx(aurocs)
    gain = ensemble["gain"]
    assert gain["over"] == "a"
    assert gain["auc_difference"] == pytest.approx(found["measured"]["auc"] - aurocs[0])
    assert gain["auc_difference_low"] < gain["auc_difference"] < gain["auc_difference_high"]
    assert "The runs were chosen among 4 by their validation metric" in found["note"]


def test_without_held_out_patches_the_gain_is_of_those_that_chose(measured):
    found = measured(VALIDATION, others=[SECOND], ensemble=Ensemble(2))["metrics"]
    assert found["ensemble"]["on"] == "validation patches"
    aurocs = [roc_auc_score(part.label, part.probability) for part in (VALIDATION, SECOND)]
    assert [member["auc"] for member in found["ensemble"]["members"]] == pytest.approx(aurocs)
    assert found["ensemble"]["gain"]["auc_difference"] == pytest.approx(found["val_auc"] - aurocs[0])
    assert "Nothing is held out: the gain of the ensemble is of the patches that chose" in found["note"]


def test_a_single_run_is_no_ensemble(measured):
    assert "ensemble" not in measured(VALIDATION, held_out=HELD_OUT)["metrics"]


def test_each_slide_of_each_part_has_its_auroc(measured):
    table = measured(VALIDATION, held_out=HELD_OUT)["auc_by_group"]
    assert table.part.tolist() == ["held out"] * 8 + ["validation"] * 8
    assert set(table.kind) == {"slide"}
    mine = HELD_OUT[HELD_OUT.slide == "2-3"]
    row = table[table.group == "2-3"].iloc[0]
    assert (row.patches, row.positive) == (20, mine.label.sum())
    assert row.auc == pytest.approx(roc_auc_score(mine.label, mine.probability))


def test_a_final_training_that_failed_is_one_line(measured, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"failed": "no memory"}))
    with pytest.raises(InputError, match=r"^the final training failed: no memory"):
        measured(VALIDATION[:0])


@pytest.mark.parametrize("changes", [{}, {"folds": 4}, {"held_out_fraction": 0.25}])
@pytest.mark.parametrize("slides", [0, 40])
@pytest.mark.parametrize("positive", [3, 5, 8, 14])
def test_what_a_split_accepts_no_later_step_refuses(tmp_path, caplog, positive, slides, changes):
    """From a split of 400 patches with few positives to the tables of runs and of the final model."""
    labels = pd.DataFrame({"id": [f"{i:03d}" for i in range(400)], "label": (np.arange(400) < positive) * 1})
    labels.to_csv(tmp_path / "clean.csv", index=False)
    rows = [f"{name},s{i % slides}\n" for i, name in enumerate(labels.id)] if slides else []
    (tmp_path / "slides.csv").write_text("id,slide\n" + "".join(rows))
    dataset = Kaggle(str(tmp_path), slide_map=str(tmp_path / "slides.csv") if slides else None)
    split = dataclasses.replace(SPLIT, group_by="slide" if slides else "none", **changes)
    table = str(tmp_path / "main.csv")
    try:
        split_files(str(tmp_path / "clean.csv"), dataset, None, None, split, table)
    except InputError as error:
        assert "is impossible" in str(error)
        assert positive < 14
        return
    patches = read_table(table).assign(probability=np.random.default_rng(0).random(400))
    paths = []
    for fold in range(split.folds):
        folder = tmp_path / f"runs/a/fold-{fold}"
        folder.mkdir(parents=True)
        paths.append(str(folder / "predictions.csv"))
        patches[patches.fold == fold][["id", "label", "probability"]].to_csv(paths[-1], index=False)
        (folder / "history.csv").write_text("epoch,val_auc\n1,0.5\n")
        (folder / "run.json").write_text('{"seconds": {"train": 1.0, "evaluate": 1.0}}')
    run = {"study": "one", "run": "a", "folder": "a", "settings": {"split": "main"}, "folds": split.folds}
    runs = str(tmp_path / "runs.csv")
    compare_runs([run], {"main": split}, str(tmp_path / "runs"), {"main": table}, [], runs)
    assert read_table(runs).final_val_auc.notna().all()
    held_out = None
    if split.held_out_fraction:
        held_out = str(tmp_path / "held_out.csv")
        patches[patches.fold == folds.HELD_OUT].to_csv(held_out, index=False)
    (tmp_path / "best.json").write_text('{"chosen_from": 2, "final_folder": "a", "members": [{}]}')
    tables = {name: str(tmp_path / f"{name}.out") for name in TABLES}
    best = str(tmp_path / "best.json")
    final_tables(best, paths, held_out, ONE, split, table, PREVALENCES, tables)
    assert json.loads((tmp_path / "metrics.out").read_text())["measured"]["positive"] > 0
