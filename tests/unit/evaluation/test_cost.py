import pandas as pd
import pytest

from histopatch.evaluation.cost import describe_cost, duration


def runs(*rows) -> pd.DataFrame:
    columns = ["run", "folder", "final_val_auc", "train_seconds", "validated_on"]
    return pd.DataFrame(rows, columns=columns).assign(feature_head="none")


def test_a_run_of_two_studies_costs_once():
    text = describe_cost(
        runs(("a", "f", 0.9, 60.0, "x"), ("b", "f", 0.9, 60.0, "x"), ("c", "g", 0.8, 40.0, "x"))
    )
    assert text == (
        "The 2 trained runs took 2 min together. Of those validated on x, `a` (AUROC 0.9000 in 60 s) is the "
        "best, `c` (AUROC 0.8000 in 40 s) the fastest."
    )


def test_only_runs_on_the_same_patches_are_compared():
    text = describe_cost(
        runs(("a", "f", 0.9, 60.0, "x"), ("b", "g", 0.8, 70.0, "x"), ("c", "h", 0.99, 1.0, "y"))
    )
    assert "`a` (AUROC 0.9000 in 60 s) is the best and the fastest." in text


def test_the_features_of_a_head_are_said_not_to_count():
    of_heads = runs(("a", "f", 0.9, 0.2, "x")).assign(feature_head="linear")
    said = "One run was trained: `a` (AUROC 0.9000 in 0.2 s, its features not counted)."
    assert describe_cost(of_heads) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0.4 s"), (59.6, "60 s"), (90, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_a_time_has_the_unit_that_suits_it(seconds, said):
    assert duration(seconds) == said
