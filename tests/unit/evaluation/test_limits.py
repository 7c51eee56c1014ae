import pandas as pd
import pytest

from histopatch.evaluation.limits import describe_limits

SEEDS = pd.DataFrame({"run": ["a"]})


def runs(interval="slide jackknife", slides=30.0, patients=None) -> pd.DataFrame:
    return pd.DataFrame({"val_auc_interval": [interval], "val_slides": [slides], "val_patients": [patients]})


@pytest.mark.parametrize(
    ("table", "seeds", "words", "said"),
    [
        (runs("DeLong"), SEEDS, "assume independent patches", True),
        (runs(), SEEDS, "assume independent patches", False),
        (runs(slides=None), SEEDS, "No slides are known", True),
        (runs(slides=None, patients=9.0), SEEDS, "No slides are known", False),
        (runs(), SEEDS, "another seed", False),
        (runs(), SEEDS[:0], "another seed", True),
        (runs(), SEEDS, "one data set", True),
        (runs(), SEEDS, "not validated for diagnosis", True),
    ],
)
def test_a_limit_is_said_where_it_applies(table, seeds, words, said):
    assert (words in " ".join(describe_limits(table, seeds, external=False))) == said


@pytest.mark.parametrize("external", [False, True])
def test_with_external_data_not_all_is_measured_on_one_data_set(external):
    said = " ".join(describe_limits(runs(), SEEDS, external))
    assert ("measured on patches of one data set" in said) != external
    assert ("External data" in said) == external
