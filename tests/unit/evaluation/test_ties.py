import numpy as np
import pytest

from histopatch.evaluation.predictions import Predictions
from histopatch.evaluation.ties import compare_with_best
from histopatch.statistics.area import auroc
from histopatch.statistics.auroc import contrasts_by_slide, delong_contrasts

LABELS = np.arange(200) % 2


def predict(noise: float, slides=None, ids=None, seed: int = 0) -> Predictions:
    scores = np.random.default_rng(seed).normal(LABELS, noise)
    ids = np.arange(200) if ids is None else ids
    return Predictions(ids, LABELS, 1 / (1 + np.exp(-scores)), slides, np.zeros(200, int))


def test_the_best_ties_with_itself_and_has_no_test():
    rows = compare_with_best({"a": predict(1), "b": predict(0.5)}, {"a": 0.8, "b": 0.9})
    assert rows.tied_with_best[1]
    assert np.isnan(rows.p_value[1])
    assert list(rows.difference_to_best) == pytest.approx([-0.1, 0.0])


def test_a_clearly_worse_run_is_no_tie_and_an_equal_one_is():
    runs = {"best": predict(0.5), "worse": predict(4), "equal": predict(0.5)}
    rows = compare_with_best(runs, {"best": 0.9, "worse": 0.6, "equal": 0.9})
    assert list(rows.tied_with_best) == [True, False, True]


def test_without_slides_the_test_is_delongs_adjusted_for_all_pairs():
    runs = {"best": predict(0.8), "one": predict(1.0, seed=1), "two": predict(1.0, seed=2)}
    rows = compare_with_best(runs, {"best": 0.9, "one": 0.8, "two": 0.8})
    scores = [runs[name].probabilities for name in ("best", "one", "two")]
    pairs = delong_contrasts(LABELS, scores, [[1, -1, 0], [1, 0, -1], [0, 1, -1]])
    assert rows.p_value[1:].tolist() == [pair.p_value for pair in pairs[:2]]
    alone = [delong_contrasts(LABELS, scores, [row])[0].p_value for row in ([1, -1, 0], [1, 0, -1])]
    assert (rows.p_value[1:] > alone).all()


def test_where_positives_are_on_one_slide_nothing_is_tested():
    slides = np.where(LABELS == 1, "a", (np.arange(200) // 20).astype(str))
    runs = {"best": predict(0.2, slides), "one": predict(9, slides, seed=1)}
    rows = compare_with_best(runs, {"best": 0.9, "one": 0.6})
    assert rows.tied_with_best[1] is None
    assert np.isnan(rows.p_value[1])


def test_of_equal_runs_hardly_any_study_calls_one_lower():
    """Adjusted against the best run only, which the data choose, 11 % of such studies did."""
    generator, called = np.random.default_rng(0), 0
    slides = np.repeat(np.arange(20), 10).astype(str)
    for _ in range(150):
        common = LABELS + generator.normal(size=20).repeat(10) / 2
        models = (
            common + generator.normal(size=(6, 20)).repeat(10, axis=1) / 2 + generator.normal(size=(6, 200))
        )
        runs = {
            str(k): Predictions(np.arange(200), LABELS, 1 / (1 + np.exp(-m)), slides, np.zeros(200, int))
            for k, m in enumerate(models)
        }
        aurocs = {name: auroc(LABELS, run.probabilities) for name, run in runs.items()}
        called += compare_with_best(runs, aurocs).tied_with_best.eq(False).any()
    assert called <= 13  # of 7.5 expected at 5 %, the 98th percentile


def test_with_slides_the_test_is_by_slide():
    slides = (np.arange(200) // 20).astype(str)
    runs = {"best": predict(0.8, slides), "one": predict(1.0, slides, seed=1)}
    rows = compare_with_best(runs, {"best": 0.9, "one": 0.8})
    scores, weights = [runs["one"].probabilities, runs["best"].probabilities], [[1, -1]]
    (by_slide,) = contrasts_by_slide(LABELS, scores, weights, slides)
    (by_patch,) = delong_contrasts(LABELS, scores, weights)
    assert rows.p_value[1] == by_slide.p_value != by_patch.p_value


def test_runs_on_other_patches_have_no_verdict():
    other = predict(1, ids=np.arange(200) + 1)
    rows = compare_with_best({"best": predict(0.5), "other": other}, {"best": 0.9, "other": 0.8})
    assert rows.tied_with_best[1] is None
    assert np.isnan(rows.p_value[1])
