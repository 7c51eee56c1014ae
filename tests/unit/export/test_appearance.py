import numpy as np
import pandas as pd
import pytest

from histopatch.data.clusters import FEATURES
from histopatch.export.appearance import describe_appearance
from histopatch.files import write_table
from histopatch.statistics.mahalanobis import Bulk, distances

COUNT = 4000


@pytest.fixture
def features():
    values = np.random.default_rng(0).normal(size=(COUNT, 4))
    return pd.DataFrame(values, columns=FEATURES).assign(id=[f"p{n}" for n in range(COUNT)])


def folds_of(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"p{n}" for n in range(COUNT)], "fold": np.resize(numbers, COUNT)})


@pytest.fixture
def describe(tmp_path):
    """What is said of tables, which are written for it."""

    def run(features: pd.DataFrame, split: pd.DataFrame, networks: list[int]) -> dict:
        paths = [str(tmp_path / name) for name in ("features.csv", "split.csv")]
        for table, path in zip((features, split), paths, strict=True):
            write_table(table, path)
        return describe_appearance(*paths, networks)

    return run


@pytest.mark.parametrize(
    ("folds", "networks", "count"),
    [((-1, 0), [0, 0], 2000), ((-2, 0, 1, -1), [0, 1], 3000), ((-2, 0, 1, 0), [1], 2000)],
    ids=["two members on one fold", "two folds", "one of two folds"],
)
def test_the_training_part_is_what_a_network_trained_on(describe, features, folds, networks, count):
    split = folds_of(*folds)
    found = describe(features, split, networks)
    trained = ~split.fold.isin([-2, *([networks[0]] if len({*networks}) == 1 else [])])
    assert found["patches"] == trained.sum() == count
    assert np.allclose(found["mean"], features.loc[trained, FEATURES].mean())


def test_quantiles_are_those_of_the_training_part(describe, features):
    split = folds_of(-1, 0)
    found = describe(features, split, [0])
    bulk = Bulk(np.array(found["mean"]), np.array(found["precision"]))
    beyond = distances(features[FEATURES], bulk) > found["quantiles"]["0.95"]
    assert beyond[split.fold == -1].mean() == pytest.approx(0.05, abs=0.001)
    assert beyond[split.fold == 0].mean() == pytest.approx(0.05, abs=0.02)


def test_patches_without_tissue_are_a_share_of_their_own(describe, features):
    whole = describe(features[1000:], folds_of(-1), [0])
    assert whole["no_tissue"] == 0
    features.loc[:999, FEATURES[:3]] = np.nan
    found = describe(features, folds_of(-1), [0])
    assert (found["patches"], found["no_tissue"]) == (4000, 0.25)
    assert found["quantiles"] == whole["quantiles"]


def test_a_training_part_without_any_tissue(describe, features):
    found = describe(features.assign(dark_red=np.nan), folds_of(-1), [0])
    bulk = Bulk(np.array(found["mean"]), np.array(found["precision"]))
    assert found["no_tissue"] == 1
    assert distances([[0.3, 0.3, 0.3, -1.0]], bulk) > found["quantiles"]["0.99"]
