import numpy as np

from histopatch.evaluation.contrasts import paired_contrasts
from histopatch.evaluation.predictions import Predictions
from histopatch.statistics.auroc import contrasts_by_slide, delong_contrasts

LABELS = np.arange(60) % 2
SLIDES = (np.arange(60) // 6).astype(str)


def predict(seed: int, slides=None, first: int = 0) -> Predictions:
    scores = np.random.default_rng(seed).normal(LABELS)
    ids, folds = np.arange(first, first + 60), np.zeros(60, int)
    return Predictions(ids, LABELS, 1 / (1 + np.exp(-scores)), slides, folds)


RUNS = [predict(seed) for seed in range(3)]
WEIGHTS = np.array([[1, -1, 0], [0.5, 0.5, -1]])


def test_without_slides_contrasts_are_delongs():
    scores = [run.probabilities for run in RUNS]
    assert paired_contrasts(RUNS, WEIGHTS) == delong_contrasts(LABELS, scores, WEIGHTS)


def test_with_slides_contrasts_are_by_slide():
    runs = [predict(seed, SLIDES) for seed in range(3)]
    scores = [run.probabilities for run in runs]
    assert paired_contrasts(runs, WEIGHTS) == contrasts_by_slide(LABELS, scores, WEIGHTS, SLIDES)


def test_on_a_single_slide_nothing_can_be_said_of_contrasts():
    runs = [predict(seed, np.full(60, "s")) for seed in range(3)]
    assert all(np.isnan(found.p_value) for found in paired_contrasts(runs, WEIGHTS))


def test_runs_on_several_sets_of_patches_are_paired_within_each():
    one, elsewhere = RUNS[:2], [predict(5, first=9), predict(6, first=9)]
    runs = [one[0], elsewhere[0], one[1], elsewhere[1]]
    weights = np.array([[1, 0, -1, 0], [1, -1, 0, 0], [0, 1, 0, -1]])
    first, mixed, second = paired_contrasts(runs, weights)
    assert mixed is None
    assert [first] == delong_contrasts(LABELS, [run.probabilities for run in one], [[1, -1]])
    assert [second] == delong_contrasts(LABELS, [run.probabilities for run in elsewhere], [[1, -1]])


def test_a_run_alone_on_its_patches_is_never_paired():
    assert paired_contrasts([RUNS[0], predict(5, first=9)], np.array([[1, -1]])) == [None]


def test_no_contrast_is_no_test():
    assert paired_contrasts(RUNS[:1], np.empty((0, 1))) == []
