import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from histopatch.evaluation.effects import COLUMNS, effects_table
from histopatch.files import read_table
from histopatch.statistics.auroc import contrasts_by_slide, delong_contrasts

LABELS = np.arange(120) % 2
SLIDES = [f"s{i % 10}" for i in range(120)]


def scores(skill: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=120) + 0.3 * np.random.default_rng(seed).normal(size=120)
    return 1 / (1 + np.exp(-(skill * LABELS + noise)))


def delong_difference(a: np.ndarray, b: np.ndarray):
    return delong_contrasts(LABELS, [a, b], [[1, -1]])[0]


@pytest.fixture
def effects(table_of_runs, tmp_path):
    """The effects of runs, by study, setting and value.

    A run of which only the AUROC is given validates on patches of its own, so that no test is made.
    """

    def table(*runs: dict, slides=None) -> pd.DataFrame:
        given = [{name: value for name, value in run.items() if name != "scores"} for run in runs]
        for i, run in enumerate(runs):
            if "scores" in run:
                given[i]["final_val_auc"] = roc_auc_score(LABELS, run["scores"])
            ids = [f"{'x' if 'scores' in run else i}{patch:03d}" for patch in range(120)]
            predictions = pd.DataFrame({"id": ids, "label": LABELS})
            predictions["probability"] = run.get("scores", 0.5)
            (tmp_path / f"folder{i}/fold-0").mkdir(parents=True)
            predictions.to_csv(tmp_path / f"folder{i}/fold-0/predictions.csv", index=False)
        members = [
            {"folder": f"folder{i}", "folds": 1, "settings": {"split": "main"}} for i in range(len(runs))
        ]
        names = [f"{owner}{patch:03d}" for owner in ("x", *range(len(runs))) for patch in range(120)]
        split = pd.DataFrame({"id": names, "slide": [*(slides or [""] * 120)] * (len(runs) + 1)})
        split.to_csv(tmp_path / "main.csv", index=False)
        out = str(tmp_path / "effects.csv")
        effects_table(
            members, str(tmp_path), {"main": str(tmp_path / "main.csv")}, table_of_runs(*given), out
        )
        found = read_table(out)
        assert list(found) == COLUMNS
        return found.set_index(["study", "setting", "value"]).sort_index()

    return table


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


def test_a_difference_has_the_interval_of_the_paired_runs(effects):
    low, high = scores(1.0, 1), scores(2.0, 2)
    table = effects({"lr": 1, "scores": low}, {"lr": 2, "scores": high})
    expected = delong_difference(high, low)
    row = table.loc[("one", "lr", "2")]
    found = row.difference, row.difference_low, row.difference_high, row.p_value
    assert found == pytest.approx(expected, abs=2e-6)
    assert row.verdict == "higher"
    assert table.loc[("one", "lr", "1"), "verdict"] == "lower"


def test_where_slides_are_known_the_interval_is_by_slide(effects):
    low, high = scores(1.0, 1), scores(2.0, 2)
    table = effects({"lr": 1, "scores": low}, {"lr": 2, "scores": high}, slides=SLIDES)
    expected = contrasts_by_slide(LABELS, [high, low], [[1, -1]], SLIDES)[0]
    row = table.loc[("one", "lr", "2")]
    assert (row.difference_low, row.difference_high) == pytest.approx(expected[1:3], abs=2e-6)


def test_where_there_is_no_evidence_the_verdict_says_so(effects):
    table = effects({"lr": 1, "scores": scores(1.0, 1)}, {"lr": 2, "scores": scores(1.0, 2)})
    assert set(table.verdict) == {"no evidence of a difference"}
    assert (table.difference_low < 0).all()
    assert (table.difference_high > 0).all()


def test_the_interval_of_a_grid_is_that_of_the_mean_over_its_matched_runs(effects):
    """As two models whose scores are pooled: the mean of two differences varies less than one of them."""
    runs = [
        {"lr": lr, "dropout": dropout, "scores": scores(skill, seed)}
        for seed, (lr, dropout, skill) in enumerate(
            [(1, 0.1, 1.0), (1, 0.2, 1.1), (2, 0.1, 2.0), (2, 0.2, 2.1)]
        )
    ]
    row = effects(*runs).loc[("one", "lr", "2")]
    # Two at a time, as the effects are those of two settings.
    pairs = delong_contrasts(LABELS, [run["scores"] for run in runs], [[-1, 0, 1, 0], [0, -1, 0, 1]])
    assert row.difference == pytest.approx((pairs[0].difference + pairs[1].difference) / 2, abs=2e-6)
    width = row.difference_high - row.difference_low
    widths = [pair.high - pair.low for pair in pairs]
    assert 0 < width < max(widths)


def test_runs_on_other_patches_are_not_tested(effects):
    table = effects({"lr": 1, "scores": scores(1.0, 1)}, {"lr": 2, "final_val_auc": 0.99})
    assert table[["difference_low", "difference_high", "p_value"]].isna().all(axis=None)
    assert set(table.verdict) == {"not tested: validated on different patches"}


def test_the_two_values_of_a_setting_are_one_test(effects):
    runs = [{"scores": scores(1.0, 1)}, {"lr": 2.0, "scores": scores(1.4, 2)}]
    (alone,) = set(effects(*runs).p_value)
    assert alone == pytest.approx(delong_difference(runs[1]["scores"], runs[0]["scores"]).p_value, abs=2e-6)


def test_several_settings_are_adjusted(effects):
    runs = [
        {"scores": scores(1.0, 1)},
        {"lr": 2.0, "scores": scores(1.4, 2)},
        {"dropout": 0.9, "scores": scores(1.0, 3)},
    ]
    table = effects(*runs)
    alone = delong_difference(runs[1]["scores"], runs[0]["scores"]).p_value
    row = table.loc[("one", "lr", "2.0")]
    # Two tests: more than each by itself, and less than twice.
    assert alone < row.p_value <= 2 * alone * 1.1
    assert (row.p_value <= 0.05) == (row.difference_low > 0)


def test_where_slides_are_too_few_the_verdict_says_so(effects):
    slides = ["a" if label else f"s{i % 10}" for i, label in enumerate(LABELS)]
    table = effects({"lr": 1, "scores": scores(1.0, 1)}, {"lr": 2, "scores": scores(3.0, 2)}, slides=slides)
    assert set(table.verdict) == {"not tested: too few slides, or no spread"}
    assert table.difference_low.tolist() == [-1, -1]


def test_seeds_are_matched_but_no_effect(effects):
    runs = [{"lr": lr, "seed": seed, "scores": scores(lr, 2 * seed + lr)} for lr in (1, 2) for seed in (1, 2)]
    table = effects(*runs)
    assert {index[1] for index in table.index} == {"lr"}
    assert table.runs.tolist() == [2, 2]


def test_a_run_that_failed_has_no_part_in_any_effect(effects):
    with_it = effects(
        {"lr": 1.0, "scores": scores(1.0, 1)},
        {"lr": 2.0, "scores": scores(2.0, 2)},
        {"lr": 3.0, "failed": "no memory"},
    )
    assert [value for _, _, value in with_it.index] == ["1.0", "2.0"]
    assert with_it.p_value.notna().all()


def test_repeats_widen_an_effect_by_the_variance_between_seeds(effects):
    """Zou and Donner's limits, worked out by hand for two values with two seeds each."""
    runs = [{"lr": lr, "seed": seed, "scores": scores(lr, 2 * seed + lr)} for lr in (1, 2) for seed in (1, 2)]
    row = effects(*runs).loc[("one", "lr", "2")]
    aurocs = [[roc_auc_score(LABELS, run["scores"]) for run in runs if run["lr"] == lr] for lr in (1, 2)]
    variance = np.mean([np.var(pair, ddof=1) for pair in aurocs])  # two degrees of freedom, t = 4.3027
    of_seeds = 4.3027**2 * variance * 4 * 0.5**2
    for limit, widened, sign in (
        ("difference_low", "low_with_seeds", -1),
        ("difference_high", "high_with_seeds", 1),
    ):
        distance = np.hypot(row.difference - row[limit], np.sqrt(of_seeds))
        assert row[widened] == pytest.approx(row.difference + sign * distance, abs=1e-5)


def test_without_repeats_there_are_no_limits_with_seeds(effects):
    table = effects({"lr": 1, "scores": scores(1, 1)}, {"lr": 2, "scores": scores(2, 2)})
    assert table.difference_low.notna().all()
    assert table[["low_with_seeds", "high_with_seeds"]].isna().all(axis=None)
