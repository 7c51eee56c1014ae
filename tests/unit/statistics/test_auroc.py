import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics.auroc import (
    bootstrap_by_slide,
    bootstrap_contrasts_by_slide,
    delong,
    delong_contrasts,
    fold_aurocs,
)
from histopatch.statistics.resampling import areas_by_slide

# Hanley & McNeil, Radiology 1982: 58 normal and 51 abnormal CT images, rated from 1 to 5.
NORMAL, ABNORMAL = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]

# The patients of DeLong, DeLong & Clarke-Pearson 1988 with all tests, as in the example of PROC LOGISTIC in
# the SAS/STAT User's Guide: albumin, total protein, K-G score, and the outcome of surgery as 0 or 1.
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1   3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1   4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1   4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1   3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1   3.7 6.9 5 1  3.6 6.6 5 1
"""


@pytest.fixture
def ovarian():
    columns = np.array(OVARIAN.split(), float).reshape(-1, 4).T
    return {"albumin": columns[0], "protein": columns[1], "score": -columns[2], "label": columns[3]}


def delong_difference(labels, a, b, level=0.95):
    return delong_contrasts(labels, [a, b], [[1, -1]], level)[0]


def difference_by_slide(labels, a, b, slides, **options):
    return bootstrap_contrasts_by_slide(labels, [a, b], [[1, -1]], slides, **options)[0]


def every_pair(labels, scores):
    """One for each positive above a negative, half for a tie: positives × negatives."""
    positives, negatives = scores[labels == 1][:, None], scores[labels == 0]
    return (positives > negatives) + 0.5 * (positives == negatives)


def error_of(pairs):
    """DeLong's standard error from all pairs."""
    m, n = pairs.shape
    return np.sqrt(pairs.mean(axis=1).var(ddof=1) / m + pairs.mean(axis=0).var(ddof=1) / n)


def test_delong_gives_the_published_interval_of_the_ratings():
    labels = np.repeat([0, 1], [58, 51])
    ratings = np.concatenate([np.repeat(np.arange(5), NORMAL), np.repeat(np.arange(5), ABNORMAL)])
    # Stata's manual of roctab.
    assert delong(labels, ratings) == pytest.approx((0.8932, 0.83295, 0.95339), abs=5e-5)


@pytest.mark.parametrize(
    ("test", "area", "error"),
    [("albumin", 0.7366, 0.0927), ("score", 0.7258, 0.1028), ("protein", 0.6478, 0.1000)],
)
def test_delong_gives_the_published_areas_and_errors_of_the_patients(ovarian, test, area, error):
    interval = delong(ovarian["label"], ovarian[test])
    assert interval.area == pytest.approx(area, abs=5e-5)
    assert (interval.area - interval.low) / norm.ppf(0.975) == pytest.approx(error, abs=5e-5)


def test_paired_delong_gives_the_published_contrast_of_the_patients(ovarian):
    result = delong_difference(ovarian["label"], ovarian["protein"], ovarian["score"])
    assert result == pytest.approx((-0.0780, -0.2830, 0.1271, 0.4561), abs=5e-5)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_delong_is_the_sum_over_all_pairs(predictions, decimals):
    labels, scores, _ = predictions(200, decimals=decimals)
    pairs = every_pair(labels, scores)
    area, margin = pairs.mean(), norm.ppf(0.95) * error_of(pairs)
    expected = (roc_auc_score(labels, scores), area - margin, area + margin)
    assert delong(labels, scores, level=0.9) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_paired_delong_is_the_sum_over_all_pairs(predictions, decimals):
    labels, a, _ = predictions(200, decimals=decimals)
    b = np.round(a + np.random.default_rng(3).normal(size=200), decimals)
    pairs = every_pair(labels, a) - every_pair(labels, b)
    difference, error = pairs.mean(), error_of(pairs)
    margin = norm.ppf(0.95) * error
    p_value = 2 * norm.cdf(-abs(difference) / error)
    expected = (difference, difference - margin, difference + margin, p_value)
    assert delong_difference(labels, a, b, level=0.9) == pytest.approx(expected, abs=1e-12)
    swapped = delong_difference(labels, b, a, level=0.9)
    assert (-swapped.difference, -swapped.high, -swapped.low) == pytest.approx(expected[:3], abs=1e-12)


def covariance_of_areas(labels, models):
    """S10 / m + S01 / n of DeLong, DeLong & Clarke-Pearson 1988, from all pairs of patches."""
    pairs = np.array([every_pair(labels, scores) for scores in models])
    models, m, n = pairs.shape
    covariance = np.zeros((models, models))
    for r in range(models):
        for s in range(models):
            areas = pairs[r].mean(), pairs[s].mean()
            s10 = sum((pairs[r, i].mean() - areas[0]) * (pairs[s, i].mean() - areas[1]) for i in range(m)) / (
                m - 1
            )
            s01 = sum(
                (pairs[r, :, j].mean() - areas[0]) * (pairs[s, :, j].mean() - areas[1]) for j in range(n)
            ) / (n - 1)
            covariance[r, s] = s10 / m + s01 / n
    return covariance


@pytest.mark.parametrize("decimals", [0, 12])
def test_delong_contrasts_have_the_variance_of_the_covariance_matrix(predictions, decimals):
    labels, a, _ = predictions(120, decimals=decimals)
    generator = np.random.default_rng(3)
    models = [np.round(a + spread * generator.normal(size=120), decimals) for spread in (0, 0.5, 1, 2)]
    weights = np.array([[1, -1, 0, 0], [0.5, 0.5, -0.5, -0.5], [-1 / 3, -1 / 3, -1 / 3, 1]])
    areas = np.array([roc_auc_score(labels, scores) for scores in models])
    covariance = covariance_of_areas(labels, models)
    results = delong_contrasts(labels, models, weights)
    assert len(results) == 3
    for row, result in zip(weights, results, strict=True):
        contrast, error = row @ areas, np.sqrt(row @ covariance @ row)
        margin = norm.ppf(0.975) * error
        expected = (contrast, contrast - margin, contrast + margin, 2 * norm.sf(abs(contrast) / error))
        assert result == pytest.approx(expected, abs=1e-10)
        assert delong_contrasts(labels, models, [row])[0] == result


def test_contrasts_by_slide_share_their_draws(predictions):
    labels, a, slides = predictions(120)
    b, c = (a + np.random.default_rng(seed).normal(size=120) for seed in (3, 4))
    draws = {"resamples": 60, "seed": 5}
    results = bootstrap_contrasts_by_slide(
        labels, [a, b, c], [[1, -1, 0], [0.5, 0.5, -1], [0, 0, 0]], slides, **draws
    )
    assert results[0] == pytest.approx(difference_by_slide(labels, a, b, slides, **draws), abs=1e-12)
    areas = np.array(list(resampled(labels, [a, b, c], slides, 60, 5)))
    error = np.sqrt((areas @ [0.5, 0.5, -1]).var(ddof=1) * 7 / 6)
    alone = bootstrap_contrasts_by_slide(labels, [a, b, c], [[0.5, 0.5, -1]], slides, **draws)[0]
    assert results[1] == pytest.approx(alone, abs=1e-12)
    assert alone.high - alone.difference == pytest.approx(t(kish(labels, slides)).ppf(0.975) * error)
    assert results[2] == (0, 0, 0, 1)


def test_a_contrast_stays_within_what_areas_allow(predictions):
    labels = [0, 0, 1]
    assert delong_contrasts(labels, [[1, 3, 2], [1, 2, 3], [1, 2, 3]], [[2, -1, -1]])[0] == (-1, -2, 2, 1)
    labels, slides = np.tile([0, 1], 4), np.repeat([0, 1], 4)
    models = [np.array([1, 2, 1, 2, 2, 1, 1, 2]), np.tile([1, 2], 4)]
    result = bootstrap_contrasts_by_slide(
        labels, models, [[-3, 3]], slides, resamples=50, seed=0, level=0.999
    )[0]
    assert (result.low, result.high) == (-3, 3)


CONTRASTS = [
    delong_contrasts,
    lambda labels, scores, weights: bootstrap_contrasts_by_slide(
        labels, scores, weights, [0, 0, 1, 1], resamples=9, seed=0
    ),
]


@pytest.mark.parametrize("contrasts", CONTRASTS)
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1, -1], [1, 0]], r"weights: row 1 adds up to 1; a contrast adds up to 0"),
        ([[np.nan, 1]], r"weights: row 0 adds up to nan; a contrast adds up to 0"),
        ([[1, -1, 0]], r"weights: row 0 has shape \(3,\); give one weight for each of 2 models"),
        ([1, -1], r"weights: row 0 has shape \(\); give one weight for each of 2 models"),
    ],
)
def test_weights_that_are_no_contrast_are_one_line(contrasts, weights, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        contrasts([0, 1, 0, 1], [[1, 2, 3, 4], [1, 2, 4, 3]], weights)


@pytest.mark.parametrize("contrasts", CONTRASTS)
def test_contrasts_of_nothing(contrasts):
    assert contrasts([0, 1, 0, 1], [[1, 2, 3, 4]], []) == []
    with pytest.raises(InputError, match=r"^scores: there are none; give the scores of at least one model$"):
        contrasts([0, 1, 0, 1], [], [])


@pytest.mark.parametrize("decimals", [0, 12])
def test_the_auroc_is_scikit_learns(predictions, decimals):
    labels, scores, _ = predictions(200, decimals=decimals)
    assert delong(labels, scores).area == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_each_fold_has_its_auroc():
    labels, folds = np.array([0, 1, 0, 1, 0, 1, 1]), np.array([1, 1, 0, 0, 3, 3, 3])
    probabilities = np.array([0.1, 0.2, 0.9, 0.1, 0.5, 0.6, 0.4])
    assert fold_aurocs(labels, probabilities, folds).tolist() == [0.0, 1.0, 0.5]


def test_only_the_order_of_scores_counts(predictions):
    labels, scores, slides = predictions(100)
    probabilities = 1 / (1 + np.exp(-scores))
    assert delong(labels, scores) == delong(labels, probabilities)
    draws = {"resamples": 50, "seed": 0}
    expected = bootstrap_by_slide(labels, scores, slides, **draws)
    assert bootstrap_by_slide(labels, probabilities, slides, **draws) == expected


def test_equal_scores_are_chance():
    area, low, high = delong([0, 1, 0, 1], [3, 3, 3, 3])
    assert (area, low, high) == (0.5, 0.5, 0.5)


def test_without_an_error_the_bound_is_exact():
    assert delong([0, 0, 0, 1, 1], [1, 2, 3, 4, 5]) == pytest.approx((1, 0.025**0.5, 1))
    assert delong([0, 0, 0, 1, 1], [5, 4, 3, 2, 1]) == pytest.approx((0, 0, 1 - 0.025**0.5))


def test_one_patch_of_a_class_leaves_everything_open():
    assert delong([0, 0, 1], [1, 3, 2]) == (0.5, 0, 1)
    assert delong([0, 1], [1, 2]) == pytest.approx((1, 0.025, 1))
    assert delong_difference([0, 0, 1], [1, 3, 2], [1, 2, 3]) == (-0.5, -1, 1, 1)


def test_a_model_does_not_differ_from_itself(predictions):
    labels, scores, slides = predictions(60)
    assert delong_difference(labels, scores, 2 * scores) == (0, 0, 0, 1)
    result = difference_by_slide(labels, scores, 2 * scores, slides, resamples=20, seed=0)
    assert result == (0, 0, 0, 1)
    models, weights = [scores] * 3, [0.1, 0.2, -0.3]  # whose sum is not quite 0
    assert delong_contrasts(labels, models, [weights])[0] == (0, 0, 0, 1)
    result = bootstrap_contrasts_by_slide(labels, models, [weights], slides, resamples=20, seed=0)[0]
    assert result == (0, 0, 0, 1)


def test_without_any_spread_a_difference_is_certain():
    assert delong_difference([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1]) == (1, 1, 1, 0)


@pytest.mark.parametrize("measure", [delong, lambda y, s: bootstrap_by_slide(y, s, y, resamples=9, seed=0)])
def test_one_class_is_one_line(measure):
    with pytest.raises(InputError, match=r"^labels: all 3 are positive; [^\n]*$"):
        measure([1, 1, 1], [0.1, 0.2, 0.3])


def resampled(labels, scores, slides, resamples, seed):
    """The same draws of slides, with the patches copied out; None where a class is missing."""
    names = list(dict.fromkeys(slides))
    rows = [np.flatnonzero(slides == name) for name in names]
    draws = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    for draw in draws:
        chosen = np.concatenate([rows[code] for code in draw])
        yield [roc_auc_score(labels[chosen], values[chosen]) for values in scores]


def kish(labels, slides):
    """Kish's effective number of slides of the rarer class."""
    sizes = [np.unique(slides[labels == label], return_counts=True)[1] for label in (0, 1)]
    return min(counts.sum() ** 2 / (counts**2).sum() for counts in sizes)


def test_the_bootstrap_by_slide_is_the_one_that_copies_patches(predictions):
    labels, a, slides = predictions(120)
    b = np.round(a + np.random.default_rng(3).normal(size=120), 1)
    draws = np.array(list(resampled(labels, [a, b], slides, 200, 7)))
    areas = np.array([roc_auc_score(labels, scores) for scores in (a, b)])
    student = t(kish(labels, slides))
    error = np.sqrt(draws[:, 0].var(ddof=1) * 7 / 6)
    area = areas[0]
    margin = student.ppf(0.95) * error / (area * (1 - area))
    odds = area / (1 - area) * np.exp([-margin, margin])
    result = bootstrap_by_slide(labels, a, slides, resamples=200, seed=7, level=0.9)
    assert result == pytest.approx((area, *(odds / (1 + odds))), abs=1e-12)
    difference, error = areas[0] - areas[1], np.sqrt((draws[:, 0] - draws[:, 1]).var(ddof=1) * 7 / 6)
    margin, p_value = student.ppf(0.95) * error, 2 * student.sf(difference / error)
    result = difference_by_slide(labels, a, b, slides, resamples=200, seed=7, level=0.9)
    assert 0 < p_value < 1
    expected = (difference, difference - margin, difference + margin, p_value)
    assert result == pytest.approx(expected, abs=1e-12)


def test_the_interval_by_slide_knows_how_few_slides_have_positives():
    generator = np.random.default_rng(0)
    slides = np.repeat(np.arange(40), 10)
    everywhere = np.tile([0, 1], 200)
    scores = everywhere + generator.normal(size=40)[slides] / 2 + generator.normal(size=400)
    few = np.where(slides < 3, everywhere, 0)
    widths = []
    for labels in (everywhere, few):
        area, low, high = bootstrap_by_slide(labels, scores, slides, resamples=400, seed=0)
        (areas,) = areas_by_slide(labels == 1, [scores], slides, 2000, 1)
        odds = np.array([low / (1 - low), high / (1 - high)])
        widths.append(np.log(odds[1] / odds[0]) * area * (1 - area) / areas[1:].std())
    # Twice the quantiles of Student's t with 40 and with 3 degrees of freedom.
    assert widths == pytest.approx([2 * 2.02, 2 * 3.18], rel=0.1)


@pytest.mark.parametrize("weights", [[1, -0.5, -0.5], [0, 1, -1], [-1 / 3, 2 / 3, -1 / 3]])
def test_the_interval_and_the_test_of_a_contrast_agree(predictions, weights):
    labels, a, slides = predictions(400, slides=20)
    generator = np.random.default_rng(3)
    models = [a, a + generator.normal(size=400) / 4, a + generator.normal(size=400)]
    for level in (0.5, 0.95, 0.999):
        by_patch = delong_contrasts(labels, models, [weights], level)[0]
        (by_slide,) = bootstrap_contrasts_by_slide(
            labels, models, [weights], slides, resamples=200, seed=0, level=level
        )
        for result in (by_patch, by_slide):
            assert (result.p_value < 1 - level) == (result.low > 0 or result.high < 0)


def test_a_clear_difference_needs_no_more_draws(predictions):
    labels, scores, slides = predictions(4000, slides=100)
    result = difference_by_slide(labels, scores, -scores, slides, resamples=99, seed=0)
    assert result.low > 0
    assert result.p_value < 1e-6


def test_slides_that_are_patches_give_delongs_interval(predictions):
    labels, scores, _ = predictions(2000, slides=1)
    expected = delong(labels, scores)
    result = bootstrap_by_slide(labels, scores, np.arange(2000), resamples=2000, seed=0)
    assert result == pytest.approx(expected, abs=0.0015)
    assert expected.high - expected.low > 0.03


def test_slides_of_copies_are_wider_than_delong(predictions):
    labels, scores, _ = predictions(200, slides=1)
    copies = [np.repeat(values, 10) for values in (labels, scores, np.arange(200))]
    single, many = delong(labels, scores), delong(*copies[:2])
    by_slide = bootstrap_by_slide(*copies, resamples=1000, seed=0)
    assert many.high - many.low < 0.4 * (single.high - single.low)
    assert by_slide == pytest.approx(single, abs=0.01)


def test_slides_of_one_class_each_are_no_trouble():
    labels, scores = np.repeat([0, 1, 0, 1], 5), np.arange(20)
    area, low, high = bootstrap_by_slide(labels, scores, np.repeat(list("abcd"), 5), resamples=100, seed=0)
    assert area == 0.75
    assert (low, high) == pytest.approx((0, 1), abs=0.01)


def test_without_an_error_the_bound_is_that_of_slides():
    labels, scores = np.tile([0, 1], 30), np.tile([1.0, 2.0], 30)
    by_slide = bootstrap_by_slide(labels, scores, np.repeat(np.arange(6), 10), resamples=50, seed=0)
    assert by_slide == pytest.approx((1, 0.025 ** (1 / 3), 1))
    wrong = bootstrap_by_slide(labels, -scores, np.repeat([0, 1], [2, 58]), resamples=50, seed=0)
    assert wrong == pytest.approx((0, 0, 0.975))
