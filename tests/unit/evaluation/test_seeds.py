import statistics

import pandas as pd
import pytest

from histopatch.evaluation.seeds import COLUMNS, seeds_table


@pytest.fixture
def seeds(table_of_runs, tmp_path):
    def table(*runs: dict) -> pd.DataFrame:
        seeds_table(table_of_runs(*runs), str(tmp_path / "seeds.csv"))
        found = pd.read_csv(tmp_path / "seeds.csv", dtype={"run": str})
        assert list(found) == COLUMNS
        return found

    return table


def test_seed_noise_is_a_number(seeds):
    aurocs = [0.9, 0.92, 0.97]
    (row,) = seeds(
        {"run": "a,seed=8", "seed": 8, "final_val_auc": aurocs[1]},
        {"run": "007", "seed": 7, "final_val_auc": aurocs[0]},
        {"run": "a,seed=9", "seed": 9, "final_val_auc": aurocs[2]},
    ).to_dict("records")
    assert (row["study"], row["run"], row["seeds"]) == ("one", "007", 3)
    assert row["mean_val_auc"] == pytest.approx(statistics.mean(aurocs))
    assert row["sd_val_auc"] == pytest.approx(statistics.stdev(aurocs), abs=1e-6)
    assert (row["lowest_val_auc"], row["highest_val_auc"]) == (0.9, 0.97)


def test_seeds_are_compared_where_nothing_else_differs(seeds):
    table = seeds(
        {"seed": 1},
        {"seed": 2},
        {"seed": 1, "lr": 1.0},
        {"seed": 2, "lr": 1.0},
        {"seed": 3, "lr": 2.0},
        {"seed": 2, "study": "two"},
        {"seed": 4, "study": "two"},
    )
    assert table[["study", "run", "seeds"]].to_numpy().tolist() == [
        ["one", "run0", 2], ["one", "run2", 2], ["two", "run5", 2],
    ]  # fmt: skip


def test_with_one_seed_each_the_table_is_empty(seeds):
    assert seeds({}, {"lr": 1.0}).empty


def test_a_seed_that_failed_is_not_counted(seeds):
    failed = {"run": "a,seed=9", "seed": 9, "failed": "no memory"}
    (row,) = seeds(failed, {"run": "a", "seed": 7}, {"run": "a,seed=8", "seed": 8}).to_dict("records")
    assert (row["run"], row["seeds"]) == ("a", 2)
    assert seeds(failed, {"run": "a", "seed": 7}).empty
