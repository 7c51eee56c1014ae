import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from histopatch.statistics.area import auroc


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("count", [2, 3, 5, 20, 1000])
def test_the_area_has_the_bits_of_scikit_learns(count, decimals):
    generator = np.random.default_rng(count)
    for _ in range(100 if count < 100 else 10):
        labels = generator.permutation(np.arange(count) % 2).astype(np.float32)
        scores = np.round(generator.normal(size=count) + labels, decimals).astype(np.float32)
        assert auroc(labels, scores) == roc_auc_score(labels, scores)


def test_equal_scores_are_chance():
    assert auroc(np.array([0, 1, 1]), np.zeros(3)) == 0.5


@pytest.mark.parametrize("label", [0, 1])
def test_there_is_no_area_with_one_class(label):
    assert math.isnan(auroc(np.full(3, label), np.arange(3.0)))
