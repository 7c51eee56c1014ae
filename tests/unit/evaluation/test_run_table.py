import pandas as pd
import pytest

from histopatch.evaluation.run_table import LEADING, NAMES, RESULTS, matched, settings_of
from histopatch.files import read_table


@pytest.fixture
def runs(table_of_runs) -> pd.DataFrame:
    return read_table(
        table_of_runs({}, {"seed": 43}, {"lr": 1.0}, {"seed": 44, "train_seconds": 1}, {"lr": 1.0, "seed": 9})
    )


def test_settings_are_what_is_left(runs):
    assert settings_of(runs) == [
        "backbone", "epochs", "lr", "weight_decay", "dropout", "scheduler", "pos_weight", "seed", "split",
        "augmentation.flips",
    ]  # fmt: skip


def test_what_leads_is_a_name_a_result_or_a_setting(runs):
    assert set(LEADING) <= {*NAMES, *RESULTS, *settings_of(runs)}


@pytest.mark.parametrize(
    ("setting", "blocks"), [("seed", [0, 0, 1, 0, 1]), ("lr", [0, 1, 0, 2, 3]), ("epochs", [0, 1, 2, 3, 4])]
)
def test_runs_are_matched_where_nothing_else_differs(runs, setting, blocks):
    assert matched(runs, setting).tolist() == blocks


def test_missing_settings_are_equal(runs):
    assert matched(runs.assign(lr=None), "seed").nunique() == 1
