import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from histopatch.slides.scores import SCORES, score_aurocs, slide_scores


def test_scores_of_a_slide():
    found = slide_scores(np.array([0.1, 0.9, 0.5, 0.7, 0.2]), k=2, threshold=0.5)
    assert found == {"max": 0.9, "mean_top_k": pytest.approx(0.8), "share_above": 0.6}


def test_few_tiles_and_none():
    assert slide_scores(np.array([0.2, 0.4]), k=10, threshold=0.3)["mean_top_k"] == pytest.approx(0.3)
    assert slide_scores(np.empty(0), k=10, threshold=0.3) == dict.fromkeys(SCORES)


def test_the_auroc_of_each_score():
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 2
    scores = pd.DataFrame({name: rng.random(30) + 0.3 * labels for name in SCORES})
    found = score_aurocs(labels, scores).set_index("score")
    for name in SCORES:
        row = found.loc[name]
        assert row.auc == pytest.approx(roc_auc_score(labels, scores[name]))
        assert row.auc_low < row.auc < row.auc_high
        assert (row.slides, row.positive) == (30, 15)
