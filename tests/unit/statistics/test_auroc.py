import numpy as np
import pytest
from scipy.stats import norm, t
from sklearn.metrics import roc_auc_score

from histopatch.errors import InputError
from histopatch.statistics.auroc import (
    contrasts_by_slide,
    delong,
    delong_contrasts,
    fold_aurocs,
    jackknife_by_slide,
)
from histopatch.statistics.jackknife import leave_one_out_within_folds

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


def difference_by_slide(labels, a, b, slides, level=0.95):
    return contrasts_by_slide(labels, [a, b], [[1, -1]], slides, level)[0]


def on_the_logit_scale(area, error, patches, degrees, level=0.95):
    """The interval of a model: half a patch is taken for misordered."""
    half = 1 / (2 * patches)
    moved = (area + half) / (1 + 2 * half)
    margin = t(degrees).ppf((1 + level) / 2) * (error + half) / (moved * (1 - moved))
    odds = moved / (1 - moved) * np.exp([-margin, margin])
    return (area, *(odds / (1 + odds)))


def rarer(labels):
    return min(np.sum(labels == 1), np.sum(labels == 0))


def every_pair(labels, scores):
    """One for each positive above a negative, half for a tie: positives × negatives."""
    positives, negatives = scores[labels == 1][:, None], scores[labels == 0]
    return (positives > negatives) + 0.5 * (positives == negatives)


def error_of(pairs):
    """DeLong's standard error from all pairs."""
    m, n = pairs.shape
    return np.sqrt(pairs.mean(axis=1).var(ddof=1) / m + pairs.mean(axis=0).var(ddof=1) / n)


def test_delong_has_the_published_area_and_error_of_the_ratings():
    labels = np.repeat([0, 1], [58, 51])
    ratings = np.concatenate([np.repeat(np.arange(5), NORMAL), np.repeat(np.arange(5), ABNORMAL)])
    # Stata's manual of roctab: 0.8932, and ± 1.96 standard errors from 0.83295 to 0.95339.
    expected = on_the_logit_scale(0.8932, (0.95339 - 0.83295) / 2 / 1.95996, 109, 50)
    assert delong(labels, ratings) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("test", "area", "error"),
    [("albumin", 0.7366, 0.0927), ("score", 0.7258, 0.1028), ("protein", 0.6478, 0.1000)],
)
def test_delong_gives_the_published_areas_and_errors_of_the_patients(ovarian, test, area, error):
    interval = delong(ovarian["label"], ovarian[test])
    assert interval.area == pytest.approx(area, abs=5e-5)
    assert interval == pytest.approx(on_the_logit_scale(area, error, 43, 11), abs=3e-4)


def test_paired_delong_gives_the_published_contrast_of_the_patients(ovarian):
    result = delong_difference(ovarian["label"], ovarian["protein"], ovarian["score"])
    # Published with normal quantiles: -0.0780, from -0.2830 to 0.1271.
    margin = (0.1271 + 0.2830) / 2 / norm.ppf(0.975) * t(11).ppf(0.975)
    assert result[:3] == pytest.approx((-0.0780, -0.0780 - margin, -0.0780 + margin), abs=1e-4)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_delong_is_the_sum_over_all_pairs(predictions, decimals):
    labels, scores, _ = predictions(200, decimals=decimals)
    pairs = every_pair(labels, scores)
    area = roc_auc_score(labels, scores)
    expected = on_the_logit_scale(area, error_of(pairs), 200, rarer(labels) - 1, level=0.9)
    assert delong(labels, scores, level=0.9) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_paired_delong_is_the_sum_over_all_pairs(predictions, decimals):
    labels, a, _ = predictions(200, decimals=decimals)
    b = np.round(a + np.random.default_rng(3).normal(size=200), decimals)
    pairs = every_pair(labels, a) - every_pair(labels, b)
    difference, error = pairs.mean(), error_of(pairs)
    student = t(rarer(labels) - 1)
    margin = student.ppf(0.95) * error
    p_value = 2 * student.cdf(-abs(difference) / error)
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
    student = t(rarer(labels) - 1)
    for row in weights:
        (result,) = delong_contrasts(labels, models, [row])
        contrast, error = row @ areas, np.sqrt(row @ covariance @ row)
        margin = student.ppf(0.975) * error
        p_value = 2 * student.sf(abs(contrast) / error)
        assert result == pytest.approx((contrast, contrast - margin, contrast + margin, p_value), abs=1e-10)


@pytest.mark.parametrize("by_slide", [False, True])
def test_contrasts_together_are_wider_than_alone_and_narrower_than_bonferroni(predictions, by_slide):
    labels, a, slides = predictions(400, slides=40)
    generator = np.random.default_rng(3)
    models = [a + generator.normal(size=400) for _ in range(4)]
    weights = np.array([np.eye(4)[i] - np.eye(4)[j] for i in range(4) for j in range(i)])

    def contrasts(rows, level=0.95):
        if by_slide:
            return contrasts_by_slide(labels, models, rows, slides, level)
        return delong_contrasts(labels, models, rows, level)

    together = contrasts(weights)
    for row, result in zip(weights, together, strict=True):
        (alone,), (bonferroni,) = contrasts([row]), contrasts([row], 1 - 0.05 / 6)
        assert alone.high < result.high <= bonferroni.high * 1.02
        assert (result.p_value <= 0.05) == (result.low > 0 or result.high < 0)


def test_a_contrast_stays_within_what_areas_allow():
    labels, slides = np.tile([0, 1], 4), np.repeat([0, 1], 4)
    models = [np.array([1, 2, 1, 2, 2, 1, 1, 2]), np.tile([1, 2], 4)]
    (result,) = contrasts_by_slide(labels, models, [[-3, 3]], slides, level=0.999)
    assert (result.low, result.high) == (-3, 3)


CONTRASTS = [
    delong_contrasts,
    lambda labels, scores, weights: contrasts_by_slide(labels, scores, weights, [0, 0, 1, 1]),
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
    assert jackknife_by_slide(labels, probabilities, slides) == jackknife_by_slide(labels, scores, slides)


def test_one_patch_of_a_class_leaves_everything_open():
    assert delong([0, 0, 1], [1, 3, 2]) == (0.5, 0, 1)
    assert delong([0, 1], [1, 2]) == (1, 0, 1)
    difference = delong_difference([0, 0, 1], [1, 3, 2], [1, 2, 3])
    assert difference[:3] == (-0.5, -1, 1)
    assert np.isnan(difference.p_value)


@pytest.mark.parametrize(
    ("labels", "slides"),
    [
        (np.repeat([0, 1], 20), np.repeat([0, 1], 20)),  # one slide of each class
        (np.arange(40) == 7, np.arange(40) % 20),  # one positive patch over 20 slides
        (np.arange(40) % 2, np.where(np.arange(40) % 2, np.arange(40), 0)),  # negatives on one slide only
    ],
)
def test_with_fewer_than_two_slides_of_a_class_nothing_can_be_said(labels, slides):
    generator = np.random.default_rng(0)
    a, b = generator.normal(labels, size=(2, 40))
    assert jackknife_by_slide(labels, a, slides) == pytest.approx((roc_auc_score(labels, a), 0, 1))
    difference = difference_by_slide(labels, a, b, slides)
    assert difference[1:3] == (-1, 1)
    assert np.isnan(difference.p_value)


def test_a_model_does_not_differ_from_itself(predictions):
    labels, scores, slides = predictions(60)
    assert delong_difference(labels, scores, 2 * scores) == (0, 0, 0, 1)
    result = difference_by_slide(labels, scores, 2 * scores, slides)
    assert result == (0, 0, 0, 1)
    models, weights = [scores] * 3, [0.1, 0.2, -0.3]  # whose sum is not quite 0
    assert delong_contrasts(labels, models, [weights])[0] == (0, 0, 0, 1)
    result = contrasts_by_slide(labels, models, [weights], slides)[0]
    assert result == (0, 0, 0, 1)


def test_without_any_spread_a_difference_is_unknown():
    perfect, wrong, other = [1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 3, 4]
    for a, b, difference in ((perfect, wrong, 1), (perfect, other, 0)):
        found = delong_difference([0, 0, 1, 1], a, b)
        assert found[:3] == (difference, -1, 1)
        assert np.isnan(found.p_value)


@pytest.mark.parametrize("measure", [delong, lambda y, s: jackknife_by_slide(y, s, y)])
def test_one_class_is_one_line(measure):
    with pytest.raises(InputError, match=r"^labels: all 3 are positive; [^\n]*$"):
        measure([1, 1, 1], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_the_interval_by_slide_is_from_leaving_out_each_slide(predictions, decimals):
    labels, a, slides = predictions(120, decimals=decimals)
    b = np.round(a + np.random.default_rng(3).normal(size=120), decimals)
    names = np.unique(slides)
    left = np.array([[roc_auc_score(labels[slides != n], x[slides != n]) for n in names] for x in (a, b)])
    with_class = [len(np.unique(slides[labels == label])) for label in (0, 1)]
    degrees, count = min(with_class) - 1, len(names)
    area, other = (roc_auc_score(labels, scores) for scores in (a, b))
    error = np.sqrt((count - 1) * left[0].var())
    expected = on_the_logit_scale(area, error, 120, degrees, level=0.9)
    assert jackknife_by_slide(labels, a, slides, level=0.9) == pytest.approx(expected, abs=1e-9)
    error = np.sqrt((count - 1) * (left[0] - left[1]).var())
    margin, p_value = t(degrees).ppf(0.95) * error, 2 * t(degrees).sf(abs(area - other) / error)
    expected = (area - other, area - other - margin, area - other + margin, p_value)
    assert difference_by_slide(labels, a, b, slides, level=0.9) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weights", [[1, -0.5, -0.5], [0, 1, -1], [-1 / 3, 2 / 3, -1 / 3]])
def test_the_interval_and_the_test_of_a_contrast_agree(predictions, weights):
    labels, a, slides = predictions(400, slides=20)
    generator = np.random.default_rng(3)
    models = [a, a + generator.normal(size=400) / 4, a + generator.normal(size=400)]
    for level in (0.5, 0.95, 0.999):
        by_patch = delong_contrasts(labels, models, [weights], level)[0]
        (by_slide,) = contrasts_by_slide(labels, models, [weights], slides, level)
        for result in (by_patch, by_slide):
            assert (result.p_value <= 1 - level) == (result.low > 0 or result.high < 0)


def test_slides_that_are_patches_give_delongs_interval(predictions):
    labels, scores, _ = predictions(2000, slides=1)
    expected = delong(labels, scores)
    result = jackknife_by_slide(labels, scores, np.arange(2000))
    assert result == pytest.approx(expected, abs=0.0015)
    assert expected.high - expected.low > 0.03


def test_slides_of_copies_are_wider_than_delong(predictions):
    labels, scores, _ = predictions(200, slides=1)
    copies = [np.repeat(values, 10) for values in (labels, scores, np.arange(200))]
    single, many = delong(labels, scores), delong(*copies[:2])
    by_slide = jackknife_by_slide(*copies)
    assert many.high - many.low < 0.4 * (single.high - single.low)
    assert by_slide == pytest.approx(single, abs=0.01)


def test_a_better_model_has_a_better_lower_bound():
    """From the worst order of the pairs next to the threshold to none misordered, one swap at a time."""
    generator = np.random.default_rng(0)
    slides = np.repeat(np.arange(12), 22)
    labels = generator.random(264) < generator.beta(1, 1, 12)[slides]
    scores = labels + generator.random(264) * 0.9
    lows, by_patch = [], []
    for misordered in range(5):
        worse = scores.copy()
        # The lowest positives sink below the highest negative, the next ones below the second highest.
        lowest = np.argsort(np.where(labels, scores, np.inf))[:misordered]
        worse[lowest] = np.sort(scores[~labels])[-1 - misordered] + 1e-6 * np.arange(misordered)
        lows.append(jackknife_by_slide(labels, worse, slides).low)
        by_patch.append(delong(labels, worse).low)
    assert lows == sorted(lows, reverse=True)
    assert by_patch == sorted(by_patch, reverse=True)
    assert 0.9 < lows[0] < 1


# --- within folds -----------------------------------------------------------------------------------


def test_by_patch_the_variance_within_folds_is_that_of_ledell(predictions):
    """The mean of independent AUROCs, each with DeLong's variance."""
    labels, scores, _ = predictions(600, decimals=6)
    folds = np.arange(600) % 3
    parts = [delong(labels[folds == fold], scores[folds == fold]) for fold in range(3)]
    found = delong(labels, scores + folds, folds=folds)
    assert found.area == pytest.approx(np.mean([part.area for part in parts]))
    widths = [part.high - part.low for part in parts]
    assert found.high - found.low == pytest.approx(np.linalg.norm(widths) / 3, rel=0.05)


def test_by_slide_a_fold_without_one_slide_is_computed_anew(predictions):
    """Against the definition: every fold is ranked again without each slide."""
    labels, scores, slides = predictions(400, slides=12)
    codes = np.unique(slides, return_inverse=True)[1]
    folds = codes % 2
    area, left_out = leave_one_out_within_folds(labels == 1, scores, codes, folds)
    assert area == pytest.approx(fold_aurocs(labels, scores, folds).mean())
    for code in range(12):
        kept = codes != code
        expected = fold_aurocs(labels[kept], scores[kept], folds[kept]).mean()
        assert left_out[code] == pytest.approx(expected)


def test_a_fold_that_loses_a_class_does_not_count():
    labels = np.array([1, 0, 1, 0, 1, 0, 0], bool)
    slides, folds = np.array([0, 1, 2, 3, 4, 3, 3]), np.array([0, 0, 1, 1, 1, 1, 1])
    scores = np.array([0.0, 1, 3, 2, 1, 0, 4])
    area, left_out = leave_one_out_within_folds(labels, scores, slides, folds)
    first, second = roc_auc_score(labels[:2], scores[:2]), roc_auc_score(labels[2:], scores[2:])
    assert area == pytest.approx((first + second) / 2)
    assert left_out[:2].tolist() == [second, second]
    assert left_out[3] == first


def test_networks_of_other_folds_need_no_common_scale(predictions):
    labels, scores, slides = predictions(300, slides=10)
    folds = np.unique(slides, return_inverse=True)[1] % 2
    scaled = np.where(folds == 1, 100 + 3 * scores, scores)
    for measure in (delong, lambda y, s, folds: jackknife_by_slide(y, s, slides, folds=folds)):
        assert measure(labels, scaled, folds=folds) == pytest.approx(measure(labels, scores, folds=folds))


@pytest.mark.parametrize("by_slide", [False, True])
def test_runs_with_other_folds_are_compared_by_their_means(predictions, by_slide):
    labels, a, slides = predictions(300, slides=10)
    b = np.random.default_rng(5).normal(size=300) + a
    ten = np.unique(slides, return_inverse=True)[1]
    folds = [ten % 2, ten // 5]
    arguments = (labels, [a, b], [[1, -1]])
    if by_slide:
        (found,) = contrasts_by_slide(*arguments, slides, folds=folds)
    else:
        (found,) = delong_contrasts(*arguments, folds=folds)
    means = [fold_aurocs(labels, scores, of_run).mean() for scores, of_run in zip((a, b), folds, strict=True)]
    assert found.difference == pytest.approx(means[0] - means[1])
    assert found.low < found.difference < found.high
    assert (found.p_value <= 0.05) == (not found.low <= 0 <= found.high)


def test_a_fold_of_one_class_is_one_line():
    with pytest.raises(InputError, match=r"^folds: all patches of fold 1 are of one class"):
        delong([0, 1, 1], [0.1, 0.2, 0.3], folds=[0, 0, 1])
    with pytest.raises(InputError, match=r"^folds: shape \(2,\) does not match 3 patches"):
        delong([0, 1, 1], [0.1, 0.2, 0.3], folds=[0, 0])
