"""Intervals hold the truth as often as they say: the benchmark of coverage, small and seeded."""

import numpy as np
import pytest

SIMULATIONS = 300  # 95 % are then within 1.3 points, one standard error


def test_delong_covers_on_independent_patches(coverage):
    row = coverage.coverage("independent", 30, 10, 0.9, SIMULATIONS, resamples=200, seed=0)
    assert 92 <= row["DeLong"] <= 98
    assert 92 <= row["difference, DeLong"] <= 98


def test_the_slide_jackknife_covers_on_slides_where_delong_does_not(coverage):
    row = coverage.coverage("clustered", 40, 20, 0.9, SIMULATIONS, resamples=200, seed=0)
    assert 92 <= row["slide jackknife"] <= 98
    assert 92 <= row["difference, slide jackknife"] <= 98
    assert row["sensitivity at a threshold"] >= 92
    assert 92 <= row["within folds, slide jackknife"] <= 99
    assert 92 <= row["ROC band"] <= 99
    assert row["DeLong"] < 80
    assert row["difference, DeLong"] < 85


@pytest.mark.parametrize(
    "data", ["independent", "clustered", "few positive", "unequal sizes", "one class each"]
)
def test_what_is_drawn_has_the_area_that_it_should(coverage, data):
    generator = np.random.default_rng(0)
    labels, models, slides = coverage.simulate(generator, 3000, 5, 0.9, coverage.DATA[data])
    assert len(set(slides)) == 3000
    for scores in models:
        assert coverage.delong(labels, scores).area == pytest.approx(0.9, abs=0.01)


def test_every_statistic_has_its_cost(coverage):
    rows = coverage.cost(patches=500, slides=10, resamples=5)
    assert [row["statistic"] for row in rows][-1] == "all"
    assert all(row["seconds"] > 0 and row["peak GB"] > 0 for row in rows)
