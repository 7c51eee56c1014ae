import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from histopatch.errors import InputError
from histopatch.evaluation.compare import compare_runs
from histopatch.files import read_table
from histopatch.schema import neutral_settings
from histopatch.settings import Split
from histopatch.statistics.calibration import expected_calibration_error
from histopatch.statistics.metrics import METRICS, Metric

LABELS = np.arange(60) % 3 == 0


@pytest.fixture
def trained(tmp_path):
    """Write the files of a training."""

    def write(folder: str, aucs=(0.6, 0.7), noise: float = 1.0, fold: int = 0, ids=None) -> pd.DataFrame:
        out = tmp_path / "runs" / folder / f"fold-{fold}"
        out.mkdir(parents=True)
        pd.DataFrame({"epoch": range(1, len(aucs) + 1), "val_auc": aucs}).to_csv(
            out / "history.csv", index=False
        )
        scores = np.random.default_rng(len(folder) + fold).normal(LABELS, noise)
        predictions = pd.DataFrame({"id": [f"{i:02d}" for i in range(60)], "label": LABELS.astype(int)})
        predictions["probability"] = 1 / (1 + np.exp(-scores))
        predictions = predictions if ids is None else predictions[predictions.id.isin(ids)]
        predictions.to_csv(out / "predictions.csv", index=False)
        seconds = {"data": 100.0, "train": 20.04, "evaluate": 3.0}
        (out / "run.json").write_text(json.dumps({"seconds": seconds}))
        return predictions

    return write


@pytest.fixture
def failing(tmp_path):
    """Write the files of a training that failed."""

    def write(folder: str, reason: str, fold: int = 0) -> None:
        out = tmp_path / "runs" / folder / f"fold-{fold}"
        out.mkdir(parents=True)
        (out / "history.csv").write_text("epoch,val_auc\n")
        (out / "predictions.csv").write_text("id,label,probability\n")
        (out / "run.json").write_text(json.dumps({"failed": reason}))

    return write


@pytest.fixture
def compared(tmp_path):
    def run(*members: dict, slides=None, group_by="none", rungs=()) -> pd.DataFrame:
        split = tmp_path / "main.csv"
        ids = [f"{i:02d}" for i in range(60)]
        pd.DataFrame({"id": ids, "slide": slides or "", "fold": 0}).to_csv(split, index=False)
        root, table = str(tmp_path / "runs"), str(tmp_path / "runs.csv")
        splits = {"main": Split(validation_fraction=0.2, seed=1, group_by=group_by)}
        compare_runs(list(members), splits, root, {"main": str(split)}, rungs, table)
        return read_table(str(tmp_path / "runs.csv"))

    return run


def member(study: str, run: str, folder: str, folds: int = 1, **settings) -> dict:
    nested = {"flips": True, "rotation": 90.0}
    settings = {"augmentation": nested, "split": "main", **settings}
    return {"study": study, "run": run, "folder": folder, "folds": folds, "settings": settings}


def test_a_row_holds_keys_settings_and_results(trained, compared):
    predictions = trained("a", aucs=(0.6, 0.9999, 0.7))
    (row,) = compared(member("one", "plain", "a", lr=3e-4, epochs=3)).to_dict("records")
    auc = roc_auc_score(predictions.label, predictions.probability)
    neutral = neutral_settings()
    operations = {f"augmentation.{name}": value for name, value in neutral.pop("augmentation").items()}
    expected = {
        "study": "one", "run": "plain", "folder": "a",
        **neutral, **operations, "augmentation.flips": True, "augmentation.rotation": 90.0,
        "lr": 3e-4, "epochs": 3,
        "split": "main",
        "validated_on": "random patches: expect less on new slides", "folds": 1,
        "best_val_auc": 0.9999, "final_val_auc": auc, "pooled_val_auc": auc,
        "val_auc_interval": "DeLong", "fold_auc_mean": auc,
        "difference_to_best": 0.0, "tied_with_best": True,
        "val_average_precision": average_precision_score(predictions.label, predictions.probability),
        "val_log_loss": log_loss(predictions.label, predictions.probability),
        "val_brier": brier_score_loss(predictions.label, predictions.probability),
        "val_ece": expected_calibration_error(predictions.label, predictions.probability),
        "train_seconds": 23.0,
    }  # fmt: skip
    low, high = row.pop("val_auc_low"), row.pop("val_auc_high")
    assert np.isnan(row.pop("p_value"))
    assert np.isnan(row.pop("fold_auc_sd"))
    assert all(np.isnan(row.pop(f"val_{name}")) for name in ("slides", "patients", "unmapped"))
    assert row == pytest.approx(expected, abs=1e-6)
    assert low < auc < high


def test_the_best_is_never_below_the_kept_model(trained, compared):
    """The history is rounded, the predictions are not."""
    trained("a", aucs=(0.1, 0.2))
    (row,) = compared(member("one", "plain", "a")).to_dict("records")
    assert row["best_val_auc"] == row["final_val_auc"]


def test_every_run_of_every_study_has_a_row_in_the_given_order(trained, compared):
    trained("a")
    trained("bb")
    rows = compared(member("two", "x", "bb"), member("one", "y", "a"), member("one", "z", "bb"))
    assert rows[["study", "run", "folder"]].to_numpy().tolist() == [
        ["two", "x", "bb"], ["one", "y", "a"], ["one", "z", "bb"],
    ]  # fmt: skip
    same = rows.drop(columns=["study", "run", "difference_to_best", "p_value", "tied_with_best"])
    assert same.iloc[0].equals(same.iloc[2])
    assert rows.final_val_auc[0] != rows.final_val_auc[1]


def test_where_slides_are_known_the_interval_is_by_slide(trained, compared):
    trained("a")
    by_patch = compared(member("one", "plain", "a"))
    by_slide = compared(member("one", "plain", "a"), slides=[f"s{i // 6}" for i in range(60)])
    assert list(by_slide.val_auc_interval) == ["slide jackknife"]
    assert list(by_slide.val_slides) == [10]
    assert by_slide.final_val_auc[0] == by_patch.final_val_auc[0]
    assert by_slide.val_auc_low[0] != by_patch.val_auc_low[0]


@pytest.mark.parametrize(
    ("group_by", "words"),
    [("none", "random patches: expect less"), ("slide", "unseen slides"), ("appearance", "stand-in")],
)
def test_a_row_says_which_kind_of_patches_it_was_evaluated_on(trained, compared, group_by, words):
    trained("a")
    (found,) = compared(member("one", "plain", "a"), group_by=group_by).validated_on
    assert words in found


def test_the_auroc_of_folds_is_their_mean_and_the_pooled_one_stands_beside_it(trained, compared):
    ids = [f"{i:02d}" for i in range(60)]
    halves = [
        trained("a", aucs=aucs, fold=fold, ids=ids[fold::2])
        for fold, aucs in enumerate([(0.5, 0.99, 0.6), (0.7, 0.99, 0.6)])
    ]
    (row,) = compared(member("one", "plain", "a", folds=2)).to_dict("records")
    pooled = pd.concat(halves)
    aurocs = [roc_auc_score(half.label, half.probability) for half in halves]
    assert row["folds"] == 2
    assert row["final_val_auc"] == row["fold_auc_mean"] == pytest.approx(sum(aurocs) / 2, abs=1e-6)
    assert row["pooled_val_auc"] == pytest.approx(roc_auc_score(pooled.label, pooled.probability), abs=1e-6)
    assert row["val_auc_low"] < row["final_val_auc"] < row["val_auc_high"]
    assert row["fold_auc_sd"] == pytest.approx(abs(aurocs[0] - aurocs[1]) / 2**0.5, abs=1e-6)
    assert row["best_val_auc"] == 0.99
    assert row["train_seconds"] == 46.1


def test_folds_that_stopped_early_are_compared_over_the_epochs_that_all_had(trained, compared):
    trained("a", aucs=(0.5, 0.9, 0.6, 1.0), fold=0, ids=[f"{i:02d}" for i in range(0, 60, 2)])
    trained("a", aucs=(0.5, 0.92), fold=1, ids=[f"{i:02d}" for i in range(1, 60, 2)])
    (row,) = compared(member("one", "plain", "a", folds=2, patience=1)).to_dict("records")
    assert row["best_val_auc"] == pytest.approx(0.91)
    assert row["validated_on"].endswith("its epoch was chosen on them, which flatters it")


def test_each_study_has_its_own_best(trained, compared):
    trained("good", noise=0.2)
    trained("poor", noise=5.0)
    rows = compared(member("both", "x", "good"), member("both", "y", "poor"), member("alone", "y", "poor"))
    assert list(rows.tied_with_best) == [True, False, True]
    assert rows.difference_to_best[1] == pytest.approx(rows.final_val_auc[1] - rows.final_val_auc[0])


def test_a_metric_that_is_added_has_a_column(trained, compared, monkeypatch):
    constant = Metric(lambda labels, probabilities: 0.25, "constant", "val_constant", higher_is_better=True)
    monkeypatch.setitem(METRICS, "constant", constant)
    trained("a")
    assert list(compared(member("one", "plain", "a")).val_constant) == [0.25]


def test_settings_at_neutral_have_their_column(trained, compared):
    trained("a")
    trained("bb")
    rows = compared(member("one", "x", "a"), member("one", "y", "bb", dropout=0.5))
    assert list(rows.dropout) == [0.0, 0.5]


def test_a_run_that_failed_is_listed_and_changes_no_other(trained, failing, compared):
    trained("good", noise=0.2)
    trained("poor", noise=5.0)
    failing("none", "training diverged; lower lr")
    good, poor = member("one", "x", "good", lr=1.0), member("one", "z", "poor", lr=3.0)
    for place in range(3):
        members = [good, poor]
        members.insert(place, member("one", "y", "none", lr=2.0))
        table = compared(*members)
        assert list(table)[-1] == "failed"
        (row,) = table[table.run == "y"].to_dict("records")
        assert (row["failed"], row["lr"], row["folds"]) == ("training diverged; lower lr", 2.0, 1)
        assert row["validated_on"].startswith("random patches")
        results = ("best_val_auc", "final_val_auc", "val_auc_low", "tied_with_best", "train_seconds")
        assert all(np.isnan(row[column]) for column in results)
        others = table[table.run != "y"].drop(columns="failed").reset_index(drop=True)
        pd.testing.assert_frame_equal(others, compared(good, poor), check_dtype=False)


def test_a_run_of_which_one_fold_failed_has_no_results(trained, failing, compared):
    trained("whole")
    trained("half", fold=0)
    failing("half", "no memory", fold=1)
    rows = compared(member("one", "x", "whole"), member("one", "y", "half", folds=2, lr=1.0))
    assert rows.failed[1] == "fold 1: no memory"
    assert rows.final_val_auc.isna().tolist() == [False, True]


def test_a_failed_run_of_two_studies_is_listed_in_both(trained, failing, compared):
    trained("a")
    failing("none", "no memory")
    rows = compared(
        member("one", "x", "a"),
        member("one", "y", "none"),
        member("two", "x", "a"),
        member("two", "z", "none"),
    )
    assert rows.failed.notna().tolist() == [False, True, False, True]


@pytest.mark.input("Training", "A study of which every run failed", "one line with the reason of the first")
def test_a_study_of_which_every_run_failed_is_one_line(trained, failing, compared):
    trained("a")
    failing("none", "no memory")
    failing("nil", "diverged")
    with pytest.raises(InputError, match=r"^studies\.two: every run failed, 'y' with: no memory$"):
        compared(member("one", "x", "a"), member("two", "y", "none"), member("two", "z", "nil", lr=1.0))


def test_without_failures_there_is_no_column_of_them(trained, compared):
    trained("a")
    assert "failed" not in compared(member("one", "x", "a"))


def test_a_run_that_halving_stopped_is_compared_in_its_rung_only(trained, compared, csv):
    """Where another study trains it to its end it has results there."""
    trained("a", noise=0.5)
    trained("bb", noise=2.0)
    trained("ccc", noise=0.1)
    rung = csv("rung.csv", "study,run,folder,epochs,goes_on,failed", "one,x,a,2,True,", "one,y,bb,2,True,",
               "one,z,ccc,2,False,", "one,bad,dddd,2,False,diverged")  # fmt: skip
    runs = [("x", "a"), ("y", "bb"), ("z", "ccc"), ("bad", "dddd")]
    members = [*(member("one", *run) for run in runs), member("two", "z", "ccc")]
    rows = compared(*members, rungs=[str(rung)])
    without = compared(*members[:2])
    assert rows.stopped_after.fillna(0).tolist() == [0, 0, 2, 0, 0]
    assert rows.failed.fillna("").tolist() == ["", "", "", "diverged", ""]
    assert rows.final_val_auc.notna().tolist() == [True, True, False, False, True]
    assert rows.tied_with_best.notna().tolist() == [True, True, False, False, True]
    same = ["difference_to_best", "p_value", "final_val_auc"]
    pd.testing.assert_frame_equal(rows[same][:2], without[same])


def test_without_halving_there_is_no_column_of_it(trained, compared):
    trained("a")
    assert "stopped_after" not in compared(member("one", "x", "a"))
