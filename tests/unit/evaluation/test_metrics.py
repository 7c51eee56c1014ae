import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import log_loss, roc_auc_score

from pcam.evaluation.metrics import auroc_interval, summarise


def delong(labels: np.ndarray, scores: np.ndarray, level: float) -> tuple[float, float, float]:
    """The area and its interval from the structural components, every pair looked at."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    difference = positives[:, None] - negatives[None, :]
    wins = (difference > 0) + 0.5 * (difference == 0)
    area = wins.mean()
    of_positives, of_negatives = wins.mean(axis=1), wins.mean(axis=0)
    variance = sum(
        ((component - area) ** 2).sum() / (len(component) - 1) / len(component)
        for component in (of_positives, of_negatives)
    )
    half = norm.ppf(0.5 + level / 2) * math.sqrt(variance)
    return area, max(area - half, 0), min(area + half, 1)


def draw(count: int, separation: float, share: float = 0.4, digits: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores; few digits make many ties."""
    rng = np.random.default_rng(count)
    labels = (rng.permutation(count) < share * count).astype(int)
    return labels, np.round(rng.normal(separation * labels), digits)


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize(
    "data",
    [
        draw(300, 1.0),
        draw(300, 1.0, digits=0),  # a handful of values
        draw(301, 3.0, share=0.05),
        draw(50, -1.0),  # worse than chance
        draw(12, 0.5),
        (np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.4, 0.1])),
    ],
    ids=["plain", "ties", "rare", "reversed", "small", "tiny"],
)
def test_the_interval_is_delongs(data, level):
    labels, scores = data
    found = auroc_interval(labels, scores, level)
    assert found == pytest.approx(delong(labels, scores, level), abs=1e-12)
    assert found[0] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_the_level_is_95_percent_by_default():
    labels, scores = draw(300, 1.0)
    assert auroc_interval(labels, scores) == auroc_interval(labels, scores, 0.95)


@pytest.mark.parametrize(("scores", "area"), [([0.1, 0.2, 0.8, 0.9], 1.0), ([0.9, 0.8, 0.2, 0.1], 0.0)])
def test_a_perfect_separation_has_no_width(scores, area):
    assert auroc_interval(np.array([0, 0, 1, 1]), np.array(scores)) == (area, area, area)


def test_scores_that_are_all_alike_are_chance():
    labels, _ = draw(40, 0)
    assert auroc_interval(labels, np.full(40, 0.3)) == (0.5, 0.5, 0.5)


def test_bounds_stay_within_zero_and_one():
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert auroc_interval(labels, np.array([1, 2, 4, 3, 5, 6.0]))[2] == 1.0
    assert auroc_interval(labels, np.array([3, 5, 6, 1, 2, 4.0]))[1] == 0.0


def test_one_patch_of_a_class_has_an_area_but_no_interval():
    area, low, high = auroc_interval(np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.6, 0.5]))
    assert area == pytest.approx(2 / 3)
    assert math.isnan(low)
    assert math.isnan(high)


def test_only_the_order_of_scores_counts():
    labels, scores = draw(200, 1.0)
    assert auroc_interval(labels, np.exp(scores)) == auroc_interval(labels, scores)


def test_an_interval_holds_the_true_area_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth = norm.cdf(1 / math.sqrt(2))
    hits = 0
    for _ in range(400):
        labels = np.arange(200) % 2
        _, low, high = auroc_interval(labels, rng.normal(1.0 * labels), 0.9)
        hits += low <= truth <= high
    assert hits / 400 == pytest.approx(0.9, abs=0.04)


def test_a_realistic_size_is_quick_enough_for_every_table():
    labels, scores = draw(40_000, 2.0)
    area, low, high = auroc_interval(labels, scores)
    assert low < area < high
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_the_summary_is_of_both_classes():
    labels, scores = draw(100, 1.0, share=0.3)
    probabilities = 1 / (1 + np.exp(-scores))
    summary = summarise(labels, probabilities)
    area, low, high = delong(labels, probabilities, 0.95)
    assert summary == pytest.approx(
        {
            "patches": 100,
            "positive": 30,
            "val_auc": area,
            "val_auc_low": low,
            "val_auc_high": high,
            "val_log_loss": log_loss(labels, probabilities),
        }
    )


def test_certain_and_wrong_is_a_finite_loss():
    assert math.isfinite(summarise(np.array([0, 1, 1]), np.array([1.0, 0.0, 0.5]))["val_log_loss"])
