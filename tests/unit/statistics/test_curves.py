import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, norm, t
from sklearn.metrics import precision_recall_curve, roc_curve

from histopatch.errors import InputError
from histopatch.statistics.curves import precision_recall, roc_band


@pytest.fixture
def patches(predictions):
    def make(count: int, decimals: int = 12, **which):
        labels, scores, slides = predictions(count, decimals=12, **which)
        return labels, np.round(expit(scores), decimals), slides

    return make


def sensitivity_at(labels, probabilities, rates):
    """The highest sensitivity at each false positive rate, on scikit-learn's curve."""
    false, true, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    found = []
    for rate in rates:
        last = np.flatnonzero(false <= rate + 1e-9)[-1]
        if last == len(false) - 1:
            found.append(1.0)
        else:
            share = max(rate - false[last], 0) / (false[last + 1] - false[last])
            found.append(true[last] + share * (true[last + 1] - true[last]))
    return np.array(found)


def binormal(generator, positives, negatives, distance=1.5):
    """Independent patches, whose sensitivity at a false positive rate is known."""
    labels = np.repeat([1, 0], [positives, negatives])
    return labels, expit(distance * labels + generator.normal(size=len(labels)))


@pytest.mark.parametrize("decimals", [0, 1, 2, 12])
def test_the_curve_is_scikit_learns(patches, decimals):
    labels, probabilities, slides = patches(300, decimals)
    band = roc_band(labels, probabilities, slides)
    assert band.iloc[0].tolist() == [0, 0, 0, 0]
    assert band.iloc[-1].tolist() == [1, 1, 1, 1]
    curve = band.iloc[1:]
    false, _, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    assert curve.false_positive_rate.tolist() == pytest.approx(np.unique([0, *false]))
    expected = sensitivity_at(labels, probabilities, curve.false_positive_rate)
    assert curve.true_positive_rate.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_the_variance_of_the_band_is_that_of_leaving_out_slides(patches, decimals):
    """Against scikit-learn without each slide, and beta quantiles of scipy: Korn & Graubard 1998."""
    labels, probabilities, slides = patches(200, decimals)
    band = roc_band(labels, probabilities, slides, level=0.8).iloc[1:]
    names = np.unique(slides)
    without = [
        sensitivity_at(labels[slides != name], probabilities[slides != name], band.false_positive_rate)
        for name in names
    ]
    count = len(names)
    variance = (count - 1) / count * np.square(without - np.mean(without, axis=0)).sum(axis=0)
    share = band.true_positive_rate
    usual = (variance > 0) & share.between(0.01, 0.99)
    share, variance, band = share[usual], variance[usual], band[usual]
    degrees = min(len(np.unique(slides[labels == label])) for label in (0, 1)) - 1
    effective = np.minimum(labels.sum(), share * (1 - share) / variance)
    effective *= (norm.ppf(0.9) / t.ppf(0.9, degrees)) ** 2
    low = beta.ppf(0.1, share * effective, (1 - share) * effective + 1)
    high = beta.ppf(0.9, share * effective + 1, (1 - share) * effective)
    assert band.low.tolist() == pytest.approx([*np.minimum(low, share)])
    assert band.high.tolist() == pytest.approx([*np.maximum(high, share)])


def test_the_band_of_patches_has_the_known_variance():
    """t (1 - t) / m of the positives, and slope² f (1 - f) / n of the threshold: Pepe 2003, result 5.1."""
    positives, negatives = 2000, 3000
    band = roc_band(*binormal(np.random.default_rng(0), positives, negatives))
    for rate in (0.1, 0.3):
        true = norm.cdf(1.5 + norm.ppf(rate))
        slope = norm.pdf(1.5 + norm.ppf(rate)) / norm.pdf(norm.ppf(rate))
        error = np.sqrt(true * (1 - true) / positives + slope**2 * rate * (1 - rate) / negatives)
        row = band.iloc[(band.false_positive_rate - rate).abs().argmin()]
        assert row.high - row.low == pytest.approx(2 * norm.ppf(0.975) * error, rel=0.2)


def test_the_band_holds_the_truth_as_often_as_it_says():
    generator, held = np.random.default_rng(0), []
    for _ in range(150):
        band = roc_band(*binormal(generator, 100, 150), points=60)
        low, high = (np.interp(0.2, band.false_positive_rate, band[name]) for name in ("low", "high"))
        held.append(low <= norm.cdf(1.5 + norm.ppf(0.2)) <= high)
    assert 0.91 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("by_slide", [True, False])
@pytest.mark.parametrize("decimals", [1, 12])
def test_a_band_holds_the_curve(patches, by_slide, decimals):
    labels, probabilities, slides = patches(1000, decimals, slides=30)
    band = roc_band(labels, probabilities, slides if by_slide else None)
    assert (band.false_positive_rate[1:].diff()[1:] > 0).all()
    for name in ("true_positive_rate", "low", "high"):
        assert band[name].between(0, 1).all()
    assert (band.true_positive_rate.diff()[1:] >= 0).all()
    assert (band.low <= band.true_positive_rate).all()
    assert (band.true_positive_rate <= band.high).all()


def test_slides_of_copies_are_wider_than_patches(patches):
    labels, probabilities, _ = patches(300, slides=1)
    single = roc_band(labels, probabilities)
    labels, probabilities, slides = (np.repeat(x, 10) for x in (labels, probabilities, np.arange(300)))
    by_slide, by_patch = roc_band(labels, probabilities, slides), roc_band(labels, probabilities)
    width, of_slides, of_patches = ((band.high - band.low).mean() for band in (single, by_slide, by_patch))
    assert of_slides == pytest.approx(width, rel=0.15)
    assert of_patches < 0.5 * width


def test_blocks_change_nothing_but_the_memory(monkeypatch, patches):
    arguments = patches(60)
    whole = roc_band(*arguments)
    monkeypatch.setattr("histopatch.statistics.curves.BLOCK", 7 * 60)
    assert roc_band(*arguments).equals(whole)


def test_a_thinned_curve_is_near_the_whole_and_nearest_at_0(patches):
    labels, probabilities, _ = patches(5000)
    whole = roc_band(labels, probabilities, points=10_000)
    thin = roc_band(labels, probabilities, points=100)
    assert 60 < len(thin) <= 100
    assert thin.iloc[:6, :2].equals(whole.iloc[:6, :2])
    assert thin.iloc[-1].tolist() == [1, 1, 1, 1]
    between = np.interp(whole.false_positive_rate, thin.false_positive_rate, thin.true_positive_rate)
    gap = np.abs(between - whole.true_positive_rate)[1:]
    assert gap.max() < 0.01
    assert gap[whole.false_positive_rate < 0.01].max() < 0.007


def test_where_a_class_is_of_one_slide_the_band_is_as_wide_as_can_be():
    assert roc_band([0, 1], [0.2, 0.8]).to_numpy().tolist() == [[0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 0, 1]]
    band = roc_band([0, 0, 1], [0.1, 0.6, 0.4], ["a", "b", "a"])
    assert band.true_positive_rate.tolist() == [0, 0, 1, 1]
    assert band.low.tolist() == [0, 0, 0, 0]
    assert band.high.tolist() == [0, 1, 1, 1]
    one_class_each = roc_band([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], ["a", "a", "b", "b"])
    assert (one_class_each.high - one_class_each.low)[1:].tolist() == [1] * (len(one_class_each) - 1)


def test_many_slides_are_left_out_in_groups():
    generator = np.random.default_rng(0)
    labels, probabilities = binormal(generator, 2000, 3000)
    slides = generator.permutation(2500)[np.arange(5000) // 2]
    of_slides, of_patches = roc_band(labels, probabilities, slides), roc_band(labels, probabilities)
    width, expected = ((band.high - band.low).mean() for band in (of_slides, of_patches))
    assert width == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_precision_is_scikit_learns_best_at_each_recall(patches, decimals):
    labels, probabilities, _ = patches(300, decimals)
    curve = precision_recall(labels, probabilities)
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    assert curve.recall.tolist() == sorted(set(recall))
    assert curve.precision.tolist() == [precision[recall == value].max() for value in curve.recall]


def test_a_thinned_curve_of_precision_has_its_ends_and_rows_of_the_whole(patches):
    labels, probabilities, _ = patches(5000)
    whole = precision_recall(labels, probabilities, points=10_000)
    thin = precision_recall(labels, probabilities, points=100)
    assert 60 < len(thin) <= 100
    assert thin.merge(whole).equals(thin)
    assert thin.iloc[:5].equals(whole.iloc[:5])
    assert thin.iloc[-1].equals(whole.iloc[-1])
    assert thin.recall.diff().max() < 0.02


def test_precision_of_tiny_sets():
    assert precision_recall([0, 1], [0.2, 0.8]).to_numpy().tolist() == [[0, 1], [1, 1]]
    assert precision_recall([0, 1], [0.8, 0.2]).to_numpy().tolist() == [[0, 1], [1, 0.5]]


@pytest.mark.parametrize("curve", [roc_band, precision_recall])
def test_what_has_no_curve_is_one_line(curve):
    with pytest.raises(InputError, match=r"^labels: all 2 are positive; [^\n]*$"):
        curve([1, 1], [0.5, 0.6])
    with pytest.raises(InputError, match=r"^probabilities: 1.5 in row 1 is outside"):
        curve([0, 1], [0.5, 1.5])
    with pytest.raises(InputError, match=r"^points: 9 is too few for a curve; 400 is usual$"):
        curve([0, 1], [0.5, 0.6], points=9)


def test_a_single_slide_says_nothing_of_the_band():
    band = roc_band([0, 1, 0, 1], [0.5, 0.6, 0.1, 0.4], ["a"] * 4)[1:]
    assert (band.low == 0).all()
    assert (band.high == 1).all()
