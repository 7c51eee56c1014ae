"""The benchmark of ways to an interval by slide computes what it names."""

import numpy as np
import pytest

from histopatch.statistics.auroc import auroc, logit_area


@pytest.fixture
def intervals(benchmark):
    return benchmark("slide_intervals")


def simulated(intervals, slides: int, per_slide: int):
    return intervals.simulate(
        np.random.default_rng(0), slides, per_slide, 0.8, intervals.DATA["unequal sizes"]
    )


def test_with_one_patch_per_slide_obuchowski_is_delong(intervals):
    labels, scores, _ = simulated(intervals, 20, 20)
    slides = np.arange(len(labels))
    scores = np.round(scores[0], 1)  # with ties
    pairs = intervals.count_pairs(labels, scores, slides)
    of_delong = logit_area(labels, scores)
    area = auroc(labels, scores)
    half = 1 / (2 * len(labels))
    moved = (area + half) / (1 + 2 * half)
    error = of_delong.error * moved * (1 - moved) - half  # back from the logit scale
    assert intervals.obuchowski([pairs], [1]) == pytest.approx(error, rel=1e-9)


def test_obuchowski_agrees_with_the_spread_of_new_slides(intervals):
    """The variance over many sets of slides is what the formula estimates from each of them."""
    generator = np.random.default_rng(1)
    areas, variances, differences, of_differences = [], [], [], []
    for _ in range(400):
        labels, scores, slide = intervals.simulate(generator, 60, 15, 0.8, intervals.DATA["clustered"])
        models = [intervals.count_pairs(labels, of_model, slide) for of_model in scores]
        both = [auroc(labels, of_model) for of_model in scores]
        areas.append(both[0])
        differences.append(both[0] - both[1])
        variances.append(intervals.obuchowski(models[:1], [1]) ** 2)
        of_differences.append(intervals.obuchowski(models, [1, -1]) ** 2)
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.2)
    assert np.mean(of_differences) == pytest.approx(np.var(differences), rel=0.2)


def test_the_bootstrap_counts_slides_as_often_as_they_are_drawn(intervals):
    labels, scores, slide = simulated(intervals, 8, 10)
    times = np.array([[2, 0, 1, 3, 1, 0, 1, 0], [1] * 8])
    drawn = np.repeat(np.arange(len(labels)), times[0][slide])
    areas = intervals.count_pairs(labels, scores[0], slide).area(times)
    assert areas == pytest.approx([auroc(labels[drawn], scores[0][drawn]), auroc(labels, scores[0])])


def test_all_ways_to_an_interval_agree_on_many_slides(intervals):
    labels, scores, slide = simulated(intervals, 400, 5)
    generator = np.random.default_rng(0)
    widths = [high - low for low, high in intervals.of_one_model(labels, scores[0], slide, 2000, generator)]
    assert widths == pytest.approx([widths[-1]] * 4, rel=0.1)
    differences = intervals.of_a_difference(labels, scores, slide, 2000, generator)
    widths = [high - low for low, high in differences]
    assert widths == pytest.approx([widths[-1]] * 4, rel=0.1)


def test_where_a_class_is_on_one_slide_nothing_can_be_said(intervals):
    labels, slide = np.repeat([0, 1], 10), np.repeat([0, 1], 10)
    scores = np.arange(20.0)
    generator = np.random.default_rng(0)
    assert intervals.of_one_model(labels, scores, slide, 100, generator) == [(0, 1)] * 4
    assert intervals.of_a_difference(labels, [scores, -scores], slide, 100, generator) == [(-1, 1)] * 4
