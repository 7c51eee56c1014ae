import pandas as pd
import pytest

from histopatch.evaluation.run_table import matched_groups, setting_values, settings_of
from histopatch.files import read_table
from histopatch.schema import setting_columns


@pytest.fixture
def runs(table_of_runs) -> pd.DataFrame:
    return read_table(
        table_of_runs({}, {"seed": 43}, {"lr": 1.0}, {"seed": 44, "train_seconds": 1}, {"lr": 1.0, "seed": 9})
    )


def test_settings_are_the_columns_that_the_schema_declares(runs):
    assert settings_of(runs) == [
        "backbone", "epochs", "lr", "weight_decay", "dropout", "scheduler", "pos_weight", "seed", "split",
        "augmentation.flips",
    ]  # fmt: skip


def test_an_unknown_column_is_no_setting(runs):
    assert settings_of(runs.assign(val_accuracy=0.9)) == settings_of(runs)


IDENTITY = {
    "backbone": "resnet18", "batch_size": 8, "epochs": 3, "image_size": 32, "lr": 1e-4, "seed": 42,
    "split": "main", "augmentation": {"flips": True},
}  # fmt: skip


def test_settings_at_neutral_are_filled_in():
    values = setting_values(IDENTITY)
    assert list(values) == sorted(setting_columns())
    assert values.items() >= {"augmentation.flips": True, "augmentation.rotation": 0, "dropout": 0}.items()
    assert (values["weights"], values["lr"]) == ("none", 1e-4)


def test_a_value_is_written_alike_whether_it_is_neutral_or_given():
    neutral = setting_values(IDENTITY)
    given = setting_values(IDENTITY | {"dropout": 0.0, "weight_decay": 0.0, "weights": "none"})
    assert {key: str(value) for key, value in neutral.items()} == {k: str(v) for k, v in given.items()}


@pytest.mark.parametrize(
    ("setting", "blocks"), [("seed", [0, 0, 1, 0, 1]), ("lr", [0, 1, 0, 2, 3]), ("epochs", [0, 1, 2, 3, 4])]
)
def test_runs_are_matched_where_nothing_else_differs(runs, setting, blocks):
    assert matched_groups(runs, setting).tolist() == blocks


def test_missing_settings_are_equal(runs):
    assert matched_groups(runs.assign(lr=None), "seed").nunique() == 1
