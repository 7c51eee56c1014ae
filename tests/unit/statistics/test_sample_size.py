"""How many slides would do, and what a comparison can find: by simulation, and against published tables."""

import numpy as np
import pytest

from histopatch.statistics.auroc import contrasts_by_slide, jackknife_by_slide, precision_by_slide
from histopatch.statistics.sample_size import detectable_difference, slides_for_margin


def test_a_margin_is_that_of_students_t():
    """The textbook formula n = (t s / margin)², which Student's t makes go round in circles."""
    needed = slides_for_margin(error=0.1, slides=25, rarer=25, margin=0.1)
    assert needed == 99  # 25 · 1.984² = 98.4: 99, with t on 98 degrees of freedom, and 98 is not enough
    assert slides_for_margin(error=0.1, slides=25, rarer=5, margin=0.1) > needed


def test_a_wide_margin_still_takes_two_slides_of_the_rarer_class():
    assert slides_for_margin(error=1e-6, slides=30, rarer=3, margin=0.5) == 20


@pytest.mark.parametrize(("pairs", "size"), [(15, 0.7780), (34, 0.4950), (199, 0.1996)])
def test_a_paired_t_test_of_known_power_finds_what_it_should(pairs, size):
    """Effect sizes that statsmodels (TTestPower, two-sided, 80 % power) gives for these many pairs."""
    from scipy.stats import t

    critical = t.ppf(0.975, pairs - 1)
    found = detectable_difference(1 / np.sqrt(pairs), pairs - 1, critical)
    assert found == pytest.approx(size, abs=1e-4)


def test_as_many_slides_as_are_said_give_the_interval(coverage):
    generator = np.random.default_rng(0)
    data, margins = coverage.DATA["clustered"], []
    needed = []
    for _ in range(60):
        labels, (a, _), slide = coverage.simulate(generator, 30, 20, 0.9, data)
        precision = precision_by_slide(labels, [a], [], slide)
        needed.append(slides_for_margin(precision.errors[0], 30, precision.rarer, margin=0.02))
    slides = int(np.median(needed))
    assert slides > 60
    for _ in range(30):
        labels, (a, _), slide = coverage.simulate(generator, slides, 20, 0.9, data)
        _, low, high = jackknife_by_slide(labels, a, slide)
        margins.append((high - low) / 2)
    assert np.median(margins) == pytest.approx(0.02, rel=0.15)


def test_a_detectable_difference_is_found_in_four_of_five_studies(coverage):
    """Of three models the first is better than the others by the difference that is said."""
    generator = np.random.default_rng(1)
    pairs, found, said = [[1, -1, 0], [1, 0, -1], [0, 1, -1]], [], []
    for _ in range(15):
        labels, models, slide = three_models(generator, better=0)
        precision = precision_by_slide(labels, models, pairs, slide)
        error = np.median(precision.contrast_errors)
        said.append(detectable_difference(error, precision.rarer - 1, precision.critical))
    for _ in range(120):
        labels, models, slide = three_models(generator, better=np.median(said))
        found.append(contrasts_by_slide(labels, models, pairs, slide)[0].p_value <= 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def three_models(generator, better: float, slides: int = 30, patches: int = 20):
    from scipy.stats import norm

    slide = np.repeat(np.arange(slides), patches)
    labels = generator.integers(0, 2, len(slide))
    areas = np.array([0.85 + better, 0.85, 0.85])
    shared = generator.normal(size=(3, slides))[:, slide] * 0.3 + generator.normal(size=slides)[slide] * 0.4
    own = np.sqrt(0.75) * (
        np.sqrt(0.5) * generator.normal(size=(3, len(slide)))
        + np.sqrt(0.5) * generator.normal(size=len(slide))
    )
    return labels, np.sqrt(2) * norm.ppf(areas)[:, None] * labels + shared + own, slide
