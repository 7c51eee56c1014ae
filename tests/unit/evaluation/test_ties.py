import numpy as np
import pytest

from histopatch.evaluation.predictions import Kept
from histopatch.evaluation.ties import compare_with_best
from histopatch.statistics.auroc import delong_paired, paired_bootstrap_by_slide

LABELS = np.arange(200) % 2


def kept(noise: float, slides=None, ids=None, seed: int = 0) -> Kept:
    scores = np.random.default_rng(seed).normal(LABELS, noise)
    ids = np.arange(200) if ids is None else ids
    return Kept(ids, LABELS, 1 / (1 + np.exp(-scores)), slides, np.zeros(200, int))


def test_the_best_ties_with_itself_and_has_no_test():
    rows = compare_with_best({"a": kept(1), "b": kept(0.5)}, {"a": 0.8, "b": 0.9})
    assert rows.tied_with_best[1]
    assert np.isnan(rows.p_value[1])
    assert list(rows.difference_to_best) == pytest.approx([-0.1, 0.0])


def test_a_clearly_worse_run_is_no_tie_and_an_equal_one_is():
    runs = {"best": kept(0.5), "worse": kept(4), "equal": kept(0.5)}
    rows = compare_with_best(runs, {"best": 0.9, "worse": 0.6, "equal": 0.9})
    assert list(rows.tied_with_best) == [True, False, True]


def test_without_slides_the_test_is_delongs_adjusted_for_the_number_of_runs():
    runs = {"best": kept(0.8), "one": kept(1.0, seed=1), "two": kept(1.0, seed=2)}
    rows = compare_with_best(runs, {"best": 0.9, "one": 0.8, "two": 0.8})
    raw = [
        delong_paired(LABELS, runs[n].probabilities, runs["best"].probabilities).p_value
        for n in ("one", "two")
    ]
    assert rows.p_value.min() == pytest.approx(2 * min(raw))


def test_with_slides_the_test_is_by_slide():
    slides = np.arange(200) // 20
    runs = {"best": kept(0.8, slides), "one": kept(1.0, slides, seed=1)}
    rows = compare_with_best(runs, {"best": 0.9, "one": 0.8})
    best, one = runs["best"].probabilities, runs["one"].probabilities
    by_slide = paired_bootstrap_by_slide(LABELS, one, best, slides, resamples=1000, seed=0).p_value
    assert rows.p_value[1] == by_slide != delong_paired(LABELS, one, best).p_value


def test_runs_on_other_patches_have_no_verdict():
    other = kept(1, ids=np.arange(200) + 1)
    rows = compare_with_best({"best": kept(0.5), "other": other}, {"best": 0.9, "other": 0.8})
    assert rows.tied_with_best[1] is None
    assert np.isnan(rows.p_value[1])
