import cleanlab.filter
import cleanlab.rank
import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics.label_errors import self_confidence, suspect_labels


def draw(count: int, positive: float, shift: float, sharpness: float, flipped: float = 0.0, seed: int = 0):
    """Labels, of which a share is flipped after the predictions were made, predictions, and which were."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < positive
    scores = rng.normal(np.where(truth, shift, -shift))
    planted = rng.random(count) < flipped
    return (truth ^ planted).astype(int), 1 / (1 + np.exp(-sharpness * scores)), planted


@pytest.mark.parametrize("positive", [0.1, 0.4, 0.8])
@pytest.mark.parametrize(("shift", "sharpness"), [(0.3, 1.0), (1.2, 2.0), (2.0, 8.0), (1.0, 0.2)])
def test_suspects_and_their_order_are_those_of_cleanlab(positive, shift, sharpness):
    labels, probabilities, _ = draw(1500, positive, shift, sharpness, flipped=0.05)
    both = np.column_stack([1 - probabilities, probabilities])
    expected = cleanlab.filter.find_label_issues(labels, both, filter_by="confident_learning", n_jobs=1)
    assert suspect_labels(labels, probabilities).tolist() == expected.tolist()
    quality = cleanlab.rank.get_label_quality_scores(labels, both, method="self_confidence")
    assert self_confidence(labels, probabilities) == pytest.approx(quality)


def test_a_label_that_the_model_doubts_no_more_than_usual_is_no_suspect():
    """All positives are given 0.6 and negatives 0.4, one of which has 0.55: more than a half, but usual."""
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    probabilities = np.array([0.4, 0.4, 0.4, 0.55, 0.6, 0.6, 0.6, 0.6])
    assert not suspect_labels(labels, probabilities).any()
    probabilities[3] = 0.61
    assert suspect_labels(labels, probabilities).tolist() == [False] * 3 + [True] + [False] * 4


def test_planted_flips_lead_the_ranking():
    """At 2 % flips and an AUROC of 0.98 most of the first fifty are planted; by chance it would be one."""
    precision = []
    for seed in range(10):
        labels, probabilities, planted = draw(4000, 0.4, 1.45, 3.0, flipped=0.02, seed=seed)
        order = np.argsort(self_confidence(labels, probabilities), kind="stable")
        suspects = order[suspect_labels(labels, probabilities)[order]]
        precision.append(planted[suspects[:50]].mean())
    assert np.mean(precision) > 0.75


def test_both_classes_are_needed():
    with pytest.raises(InputError, match="both classes"):
        suspect_labels([1, 1], [0.2, 0.9])
