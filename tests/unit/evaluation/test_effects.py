import itertools

import pandas as pd
import pytest

from pcam.evaluation.effects import effects_table


@pytest.fixture
def effects(table_of_runs, tmp_path):
    """The effects of runs, by study, setting and value."""

    def run(*runs: dict) -> pd.DataFrame:
        effects_table(table_of_runs(*runs), str(tmp_path / "effects.csv"))
        table = pd.read_csv(tmp_path / "effects.csv", dtype={"value": str})
        assert list(table) == ["study", "setting", "value", "runs", "mean_val_auc", "difference"]
        return table.set_index(["study", "setting", "value"]).sort_index()

    return run


def test_one_setting_between_two_runs(effects):
    table = effects({"lr": 0.1, "final_val_auc": 0.80}, {"lr": 0.2, "final_val_auc": 0.83})
    assert table.runs.tolist() == [1, 1]
    assert table.mean_val_auc.tolist() == pytest.approx([0.80, 0.83])
    assert table.loc[("one", "lr", "0.1"), "difference"] == pytest.approx(-0.03)
    assert table.loc[("one", "lr", "0.2"), "difference"] == pytest.approx(0.03)


def test_a_grid_is_compared_with_all_else_equal(effects):
    """lr moves the AUROC by 0.02, dropout by 0.005 more where lr is high."""
    runs = [
        {
            "lr": lr,
            "dropout": dropout,
            "final_val_auc": 0.8 + 0.02 * (lr == 2) + 0.005 * (dropout == 0.3) * lr,
        }
        for lr, dropout in itertools.product([1, 2], [0.2, 0.3])
    ]
    table = effects(*runs)
    assert set(table.index.get_level_values("setting")) == {"lr", "dropout"}
    assert table.runs.tolist() == [2] * 4
    assert table.loc[("one", "lr", "2"), "difference"] == pytest.approx(0.0225)
    assert table.loc[("one", "lr", "1"), "difference"] == pytest.approx(-0.0225)
    assert table.loc[("one", "dropout", "0.3"), "difference"] == pytest.approx(0.0075)
    assert table.loc[("one", "lr", "2"), "mean_val_auc"] == pytest.approx(0.825)


def test_a_value_is_compared_with_the_mean_of_the_others(effects):
    table = effects(*({"lr": i, "final_val_auc": auc} for i, auc in enumerate([0.7, 0.8, 0.84])))
    assert table.difference.tolist() == pytest.approx([0.7 - 0.82, 0.8 - 0.77, 0.84 - 0.75])


def test_a_run_without_a_partner_is_left_out(effects):
    """The third run differs in two settings from each of the others: nothing can be said of it."""
    table = effects(
        {"lr": 1, "final_val_auc": 0.8},
        {"lr": 2, "final_val_auc": 0.9},
        {"lr": 3, "dropout": 0.5, "final_val_auc": 0.1},
    )
    assert table.index.tolist() == [("one", "lr", "1"), ("one", "lr", "2")]
    assert table.difference.tolist() == pytest.approx([-0.1, 0.1])


def test_studies_are_compared_apart(effects):
    table = effects(
        {"study": "one", "lr": 1, "final_val_auc": 0.8},
        {"study": "one", "lr": 2, "final_val_auc": 0.9},
        {"study": "two", "dropout": 0.1, "final_val_auc": 0.5},
        {"study": "two", "dropout": 0.2, "final_val_auc": 0.6},
        {"study": "three", "lr": 9, "final_val_auc": 0.1},
    )
    assert {index[:2] for index in table.index} == {("one", "lr"), ("two", "dropout")}


@pytest.mark.parametrize(
    ("setting", "values"),
    [("backbone", ["b0", "resnet18"]), ("pos_weight", [False, True]), ("augmentation.flips", [False, True])],
)
def test_settings_may_be_of_any_kind(effects, setting, values):
    table = effects(*({setting: value, "final_val_auc": 0.8 + i / 10} for i, value in enumerate(values)))
    assert table.loc[("one", setting, str(values[1])), "difference"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    "runs", [[{}], [{"lr": 1, "dropout": 0.1}, {"lr": 2, "dropout": 0.2}], [{"train_seconds": 1}, {}]]
)
def test_where_nothing_can_be_said_the_table_has_its_columns(effects, runs):
    assert effects(*runs).empty
