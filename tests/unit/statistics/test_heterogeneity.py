"""The test that groups of patches have the same AUROC."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score
from statsmodels.stats.oneway import anova_generic

from histopatch.statistics.auroc import delong, jackknife_by_slide, logit_area
from histopatch.statistics.heterogeneity import heterogeneity

SIMULATIONS = 100


def draw(generator, groups: int, slides: int, patches: int = 24, shift=0.0, shared=False):
    """Labels, scores, groups and slides: each group has slides of its own, or all have patches of all slides.

    Slides share a part of the score within each class. shift: of the positives of the last group.
    """
    count = slides if shared else slides * groups
    slide = np.repeat(np.arange(count), patches * (groups if shared else 1))
    group = generator.integers(0, groups, len(slide)) if shared else slide // slides
    labels = generator.random(len(slide)) < generator.beta(3, 3, count)[slide]
    own = 0.55 * generator.normal(size=(count, 2))[slide, labels.astype(int)]
    scores = 1.5 * labels + own + 0.85 * generator.normal(size=len(slide))
    scores += shift * labels * (group == groups - 1)
    return labels.astype(int), scores, np.array([f"g{k}" for k in group]), np.array([f"s{k}" for k in slide])


@pytest.mark.parametrize("by_slide", [True, False])
@pytest.mark.parametrize("groups", [2, 4])
def test_of_groups_without_a_common_slide_it_is_welchs_test(groups, by_slide):
    labels, scores, group, slides = draw(np.random.default_rng(1), groups, 6)
    found = heterogeneity(labels, scores, group, slides if by_slide else None)
    areas = [
        logit_area(labels[of], scores[of], slides[of] if by_slide else None)
        for of in (group == name for name in np.unique(group))
    ]
    degrees = np.array([area.degrees for area in areas])
    variances = np.array([area.error**2 for area in areas])
    values = np.array([area.value for area in areas])
    # Means of `degrees + 1` observations whose variances are as large as makes the mean's what it is.
    expected = anova_generic(values, variances * (degrees + 1), degrees + 1, use_var="unequal")
    assert found.groups == groups
    assert found.statistic == pytest.approx(expected.statistic)
    assert (found.numerator, found.denominator) == pytest.approx(expected.df)
    assert found.p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("by_slide", [True, False])
def test_it_is_made_of_the_same_standard_errors_as_the_intervals(by_slide):
    labels, scores, _, slides = draw(np.random.default_rng(2), 1, 8)
    area = logit_area(labels, scores, slides if by_slide else None)
    interval = jackknife_by_slide(labels, scores, slides) if by_slide else delong(labels, scores)
    assert (logit(interval.high) - logit(interval.low)) / 2 == pytest.approx(
        area.error * abs(_quantile(area.degrees))
    )
    assert expit(area.value) == pytest.approx(roc_auc_score(labels, scores), abs=1 / len(labels))


def _quantile(degrees: int) -> float:
    import scipy.stats

    return scipy.stats.t.ppf(0.975, degrees)


def test_groups_that_share_slides_are_compared_in_pairs():
    """Two groups on all slides: the square of the difference over its jackknife variance, slide by slide."""
    labels, scores, group, slides = draw(np.random.default_rng(3), 2, 12, patches=80, shared=True)
    found = heterogeneity(labels, scores, group, slides)

    def areas(kept: np.ndarray) -> list[float]:
        return [roc_auc_score(labels[kept & (group == g)], scores[kept & (group == g)]) for g in ("g0", "g1")]

    left_out = np.array([areas(slides != slide) for slide in np.unique(slides)])
    deviations = left_out - left_out.mean(axis=0)
    covariance = 11 / 12 * deviations.T @ deviations
    # Half a patch of each group counts as misordered: it moves the AUROC and adds to the standard error.
    half = np.array([1 / 2 / np.sum(group == name) for name in ("g0", "g1")])
    moved = (np.array(areas(slides != "")) + half) / (1 + 2 * half)
    slope = 1 / (moved * (1 - moved))
    variances = (slope * (np.sqrt(np.diag(covariance)) + half)) ** 2
    expected = (logit(moved) @ (1, -1)) ** 2 / (variances.sum() - 2 * slope.prod() * covariance[0, 1])
    assert found.statistic == pytest.approx(expected)
    assert (found.numerator, found.denominator) == (1, pytest.approx(11))


def test_groups_of_which_some_share_slides_are_compared_by_contrasts():
    """Two groups on the same slides and a third on others, against the matrices of Johansen's paper."""
    generator = np.random.default_rng(7)
    shared, apart = draw(generator, 2, 14, patches=60, shared=True), draw(generator, 1, 9)
    labels, scores = (np.concatenate(both) for both in list(zip(shared, apart, strict=True))[:2])
    group, slides = (np.concatenate([shared[k], np.char.add("other ", apart[k])]) for k in (2, 3))
    found = heterogeneity(labels, scores, group, slides)

    names = np.unique(group)
    areas = [logit_area(labels[of], scores[of], slides[of]) for of in (group == name for name in names)]
    covariance = np.diag([area.error**2 for area in areas])
    first, second = np.flatnonzero(["other" not in name for name in names])
    # All of the first two groups' slides appear in both, in some order of their own.
    orders = [dict.fromkeys(slides[group == names[k]]) for k in (first, second)]
    spreads = [
        dict(zip(order, areas[k].spread, strict=True))
        for k, order in zip((first, second), orders, strict=True)
    ]
    covariance[first, second] = sum(spreads[0][slide] * spreads[1][slide] for slide in spreads[0])
    covariance[second, first] = covariance[first, second]
    contrasts, values = np.array([[1, -1, 0], [0, 1, -1]]), np.array([area.value for area in areas])
    projection = contrasts.T @ np.linalg.inv(contrasts @ covariance @ contrasts.T) @ contrasts
    correction = 0.0
    for members in ([first, second], [3 - first - second]):
        own = (covariance @ projection)[np.ix_(members, members)]
        degrees = min(areas[member].degrees for member in members)
        correction += (np.trace(own @ own) + np.trace(own) ** 2) / degrees / 2
    assert found.statistic == pytest.approx(
        values @ projection @ values / (2 + 2 * correction - 6 * correction / 4)
    )
    assert (found.numerator, found.denominator) == (2, pytest.approx(8 / (3 * correction)))


def test_patches_of_no_group_and_groups_of_one_class_play_no_part():
    labels, scores, group, slides = draw(np.random.default_rng(4), 3, 6)
    two = np.where(group == "g2", "", group)
    found = heterogeneity(labels, scores, two, slides)
    assert found.groups == 2
    of = group != "g2"
    assert found == heterogeneity(labels[of], scores[of], group[of], slides[of])
    positive = (group != "g2") | (labels == 1)
    assert heterogeneity(labels[positive], scores[positive], group[positive], slides[positive]) == found


def test_nothing_is_said_of_one_group_or_of_too_few_slides():
    labels, scores, group, slides = draw(np.random.default_rng(5), 3, 3, shared=True)
    assert np.isnan(heterogeneity(labels, scores, np.full(len(labels), "all"), slides).p_value)
    few = heterogeneity(labels, scores, group, slides)  # three groups on the same three slides
    assert few.groups == 3
    assert np.isnan(few.p_value)
    one_slide = heterogeneity(labels, scores, slides, slides)
    assert one_slide.groups == 0


@pytest.mark.parametrize(
    ("groups", "slides", "shared"), [(2, 8, False), (5, 8, False), (4, 16, True)], ids=str
)
def test_it_holds_its_level_and_finds_a_difference(groups, slides, shared):
    generator = np.random.default_rng(6)

    def share(shift: float) -> float:
        found = [
            heterogeneity(*draw(generator, groups, slides, shift=shift, shared=shared)).p_value
            for _ in range(SIMULATIONS)
        ]
        return np.mean(np.array(found) <= 0.05)

    assert share(0) <= 0.09  # 5 %, and two standard errors
    assert share(-1.2) > 0.35  # of the time, one group is found to be worse


def test_groups_without_any_error_are_not_found_to_differ():
    labels = np.tile([0, 0, 0, 1, 1, 1], 8)
    scores, slides = labels + np.arange(48) % 3 / 7, np.repeat(np.arange(8), 6)
    for groups in (slides.astype(str), np.where(slides < 4, "a", "b")):
        by_slide = None if len({*groups}) == 8 else slides
        found = heterogeneity(labels, scores, groups, by_slide)
        assert found.statistic >= 0
        assert found.p_value > 0.99
