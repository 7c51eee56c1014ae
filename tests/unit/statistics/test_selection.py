"""The highest of several AUROCs, corrected for the choice."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics.resampling import draw_slides
from histopatch.statistics.selection import auroc_of_the_choice, enough_to_correct, weighted_aurocs


def test_of_twelve_equal_models_the_highest_promises_too_much_and_its_correction_does_not(benchmark):
    row = benchmark("choice").optimism("clustered", 10, "equal", simulations=60, resamples=60)
    assert row["truth"] == pytest.approx(0.9)
    assert row["highest"] > 0.92
    assert row["corrected"] == pytest.approx(0.9, abs=0.012)


def test_where_one_model_is_the_best_the_correction_takes_nothing_from_it():
    generator = np.random.default_rng(0)
    slides = np.repeat(np.arange(100), 20)
    labels = generator.integers(0, 2, len(slides))
    noise = generator.normal(size=len(slides))
    scores = [2 * labels + noise, labels + noise]
    found = auroc_of_the_choice(labels, scores, slides, resamples=100)
    assert found == pytest.approx(roc_auc_score(labels, scores[0]), abs=0.002)


def test_each_choice_is_judged_on_the_slides_that_it_has_not_seen(predictions):
    """Against scikit-learn, draw by draw."""
    labels, a, slides = predictions(300, slides=12)
    b = np.random.default_rng(9).normal(size=300) / 2 + a
    found = auroc_of_the_choice(labels, [a, b], slides, resamples=40, seed=5)
    codes, judged = pd.factorize(slides)[0], []
    for times in np.concatenate([*draw_slides(labels == 1, codes, 40, 5)], axis=1).T:
        inside = [roc_auc_score(labels, scores, sample_weight=times[codes]) for scores in (a, b)]
        out = times[codes] == 0
        judged.append(roc_auc_score(labels[out], (a, b)[int(np.argmax(inside))][out]))
    assert found == pytest.approx(np.mean(judged), abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 6])
def test_a_weight_of_a_slide_counts_all_its_patches(predictions, decimals):
    labels, scores, slides = predictions(200, decimals=decimals)
    codes = np.unique(slides, return_inverse=True)[1]
    weights = np.random.default_rng(1).integers(0, 4, (codes.max() + 1, 9))
    expected = [roc_auc_score(labels, scores, sample_weight=column[codes]) for column in weights.T]
    assert weighted_aurocs(labels == 1, scores, codes, weights) == pytest.approx(expected, abs=1e-12)


def test_a_class_without_weight_has_no_area():
    areas = weighted_aurocs(np.array([True, False]), np.array([2.0, 1.0]), np.arange(2), np.eye(2))
    assert np.isnan(areas).all()


@pytest.mark.parametrize("slides", [np.arange(400) % 9, np.where(np.arange(400) % 2, np.arange(400) % 8, 99)])
def test_nine_slides_or_four_of_a_class_are_not_enough(slides):
    assert not enough_to_correct(np.arange(400) % 2, slides)


def test_ten_slides_are_enough():
    assert enough_to_correct(np.arange(400) % 2, np.arange(400) % 10)


def test_a_single_slide_with_positives_leaves_nothing_to_judge_on():
    labels = np.arange(40) % 2
    scores = np.random.default_rng(0).normal(size=(3, 40))
    assert auroc_of_the_choice(labels, scores, np.where(labels, 99, np.arange(40))) is None


def test_one_model_is_no_choice():
    with pytest.raises(InputError, match=r"^scores: a choice is among two models or more"):
        auroc_of_the_choice([0, 1], [[0.1, 0.2]], [1, 2])


def test_within_folds_the_choice_needs_no_common_scale(predictions):
    labels, a, slides = predictions(400, slides=12)
    b = np.random.default_rng(9).normal(size=400) / 2 + a
    folds = np.unique(slides, return_inverse=True)[1] % 2
    found = auroc_of_the_choice(labels, [a, b], slides, [folds, folds], resamples=50)
    scaled = [np.where(folds == 1, 100 + 3 * scores, scores) for scores in (a, b)]
    assert found == pytest.approx(auroc_of_the_choice(labels, scaled, slides, [folds, folds], resamples=50))
    assert found != pytest.approx(auroc_of_the_choice(labels, scaled, slides, resamples=50))
