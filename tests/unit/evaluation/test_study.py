import pandas as pd
import pytest

from histopatch.evaluation.study import FIRST_COLUMNS, study_table
from histopatch.files import read_table


def test_a_study_has_its_runs_best_first(table_of_runs, tmp_path):
    runs = table_of_runs(
        {"run": "low", "final_val_auc": 0.8},
        {"run": "elsewhere", "study": "two", "final_val_auc": 0.99},
        {"run": "high", "final_val_auc": 0.95},
        {"run": "tie", "final_val_auc": 0.8},
        {"run": "middle", "final_val_auc": 0.9, "best_val_auc": 0.999},
    )
    study_table(runs, "one", str(tmp_path / "one.csv"))
    table = pd.read_csv(tmp_path / "one.csv")
    assert table.run.tolist() == ["high", "middle", "low", "tie"]


def test_a_study_begins_with_the_columns_that_matter_most(table_of_runs, tmp_path):
    study_table(table_of_runs({}), "one", str(tmp_path / "one.csv"))
    columns = list(pd.read_csv(tmp_path / "one.csv"))
    assert columns[: len(FIRST_COLUMNS)] == FIRST_COLUMNS
    assert columns[:5] == ["run", "backbone", "epochs", "best_val_auc", "final_val_auc"]
    rest = {"folder", "lr", "dropout", "augmentation.flips", "val_log_loss", "train_seconds"}
    assert rest <= set(columns)
    assert "study" not in columns


@pytest.mark.parametrize("name", ["NA", "007", "null", "1e5"])
def test_names_stay_names(table_of_runs, name):
    rows = read_table(table_of_runs({"study": name, "run": name}))
    assert (rows.study[0], rows.run[0]) == (name, name)
    assert rows.scheduler[0] == "none"
    assert rows.lr[0] == 3e-4


def test_a_run_that_failed_comes_last_with_its_reason(table_of_runs, tmp_path):
    runs = table_of_runs(
        {"run": "other", "study": "two"}, {"run": "none", "failed": "no memory"}, {"run": "low"}
    )
    study_table(runs, "one", str(tmp_path / "one.csv"))
    table = pd.read_csv(tmp_path / "one.csv")
    assert table.run.tolist() == ["low", "none"]
    assert list(table)[-1] == "failed"
    assert table.failed[1] == "no memory"
