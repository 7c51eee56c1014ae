import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta, norm, t
from sklearn.metrics import precision_recall_curve, roc_curve

from histopatch.errors import InputError
from histopatch.statistics import resampling
from histopatch.statistics.checks import slide_codes
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
    band = roc_band(labels, probabilities, slides, resamples=5)
    assert band.iloc[0].tolist() == [0, 0, 0, 0]
    assert band.iloc[-1].tolist() == [1, 1, 1, 1]
    curve = band.iloc[1:]
    false, _, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    assert curve.false_positive_rate.tolist() == pytest.approx(np.unique([0, *false]))
    expected = sensitivity_at(labels, probabilities, curve.false_positive_rate)
    assert curve.true_positive_rate.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_the_band_by_slide_is_that_of_copied_patches(patches, decimals):
    """The variance over scikit-learn's curves of copies, and beta quantiles: Korn & Graubard 1998."""
    labels, probabilities, slides = patches(120, decimals)
    band = roc_band(labels, probabilities, slides, resamples=60, seed=4, level=0.8)
    codes = slide_codes(slides, 120)
    draws = np.concatenate(list(resampling.draw_slides(labels == 1, codes, 60, 4)), axis=1)
    drawn = []
    for times in draws.T:
        rows = np.repeat(np.arange(120), times[codes].astype(int))
        drawn.append(sensitivity_at(labels[rows], probabilities[rows], band.false_positive_rate[1:]))
    count, share = len(np.unique(slides)), band.true_positive_rate[1:].to_numpy()
    variance = np.var(drawn, axis=0, ddof=1) * count / (count - 1)
    sizes = np.unique(slides, return_counts=True)[1]
    fewest = min(len(np.unique(slides[labels == label])) for label in (0, 1))
    degrees = min(fewest, sizes.sum() ** 2 / (sizes**2).sum()) - 1
    usual = (variance > 0) & (share > 0.01) & (share < 0.99)
    share, variance, band = share[usual], variance[usual], band[1:][usual]
    assert len(band) > 5
    effective = np.minimum(labels.sum(), share * (1 - share) / variance)
    effective *= (norm.ppf(0.9) / t.ppf(0.9, degrees)) ** 2
    low = beta.ppf(0.1, share * effective, (1 - share) * effective + 1)
    high = beta.ppf(0.9, share * effective + 1, (1 - share) * effective)
    assert band.low.tolist() == pytest.approx([*np.minimum(low, share)])
    assert band.high.tolist() == pytest.approx([*np.maximum(high, share)])


def test_the_band_of_patches_has_the_known_variance():
    """t (1 - t) / m of the positives, and slope² f (1 - f) / n of the threshold: Pepe 2003, result 5.1."""
    positives, negatives = 2000, 3000
    band = roc_band(*binormal(np.random.default_rng(0), positives, negatives), resamples=600)
    for rate in (0.1, 0.3):
        true = norm.cdf(1.5 + norm.ppf(rate))
        slope = norm.pdf(1.5 + norm.ppf(rate)) / norm.pdf(norm.ppf(rate))
        error = np.sqrt(true * (1 - true) / positives + slope**2 * rate * (1 - rate) / negatives)
        row = band.iloc[(band.false_positive_rate - rate).abs().argmin()]
        assert row.high - row.low == pytest.approx(2 * norm.ppf(0.975) * error, rel=0.2)


def test_the_band_holds_the_truth_as_often_as_it_says():
    generator, held = np.random.default_rng(0), []
    for seed in range(150):
        band = roc_band(*binormal(generator, 100, 150), resamples=200, seed=seed, points=60)
        low, high = (np.interp(0.2, band.false_positive_rate, band[name]) for name in ("low", "high"))
        held.append(low <= norm.cdf(1.5 + norm.ppf(0.2)) <= high)
    assert 0.91 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("by_slide", [True, False])
@pytest.mark.parametrize("decimals", [1, 12])
def test_a_band_holds_the_curve(patches, by_slide, decimals):
    labels, probabilities, slides = patches(1000, decimals, slides=30)
    band = roc_band(labels, probabilities, slides if by_slide else None, resamples=200)
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


@pytest.mark.parametrize("by_slide", [True, False])
def test_blocks_change_nothing_but_the_memory(monkeypatch, patches, by_slide):
    labels, probabilities, slides = patches(60)
    arguments = (labels, probabilities, slides if by_slide else None)
    whole = roc_band(*arguments, resamples=1000)
    for module in ("resampling", "curves"):
        monkeypatch.setattr(f"histopatch.statistics.{module}.BLOCK", 7 * 60)
    parts = roc_band(*arguments, resamples=1000)
    # Patches are drawn class by class, so that other blocks are other draws.
    assert np.abs(parts - whole).to_numpy().max() <= (0 if by_slide else 0.1)


def test_a_thinned_curve_is_near_the_whole_and_nearest_at_0(patches):
    labels, probabilities, _ = patches(5000)
    whole = roc_band(labels, probabilities, resamples=2, points=10_000)
    thin = roc_band(labels, probabilities, resamples=2, points=100)
    assert 60 < len(thin) <= 100
    assert thin.iloc[:6, :2].equals(whole.iloc[:6, :2])
    assert thin.iloc[-1].tolist() == [1, 1, 1, 1]
    between = np.interp(whole.false_positive_rate, thin.false_positive_rate, thin.true_positive_rate)
    gap = np.abs(between - whole.true_positive_rate)[1:]
    assert gap.max() < 0.01
    assert gap[whole.false_positive_rate < 0.01].max() < 0.007


def test_tiny_sets_have_a_curve_and_the_widest_band():
    """What is known of one patch, or one slide, of a class says nothing of others."""
    for scores, sensitivity in (([0.2, 0.8], 1), ([0.8, 0.2], 0)):
        band = roc_band([0, 1], scores).to_numpy().tolist()
        assert band == [[0, 0, 0, 0], [0, sensitivity, 0, 1], [1, 1, 1, 1]]
    equal = roc_band([0, 1, 0, 1], [0.5] * 4, [1, 1, 2, 2])
    assert equal.true_positive_rate.tolist() == [0, 0, 1]
    band = roc_band([0, 0, 1], [0.1, 0.6, 0.4], ["a", "b", "a"], resamples=50)
    assert band.true_positive_rate.tolist() == [0, 0, 1, 1]
    assert band.low.tolist() == [0, 0, 0, 1]
    assert band.high.tolist() == [0, 1, 1, 1]
    one_class_each = roc_band([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], ["a", "a", "b", "b"])[1:-1]
    assert (one_class_each.high - one_class_each.low).tolist() == [1] * len(one_class_each)


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


@pytest.mark.parametrize("slides", [None, [*"aabb"]])
def test_a_band_needs_draws(slides):
    with pytest.raises(InputError, match=r"^resamples: 1 is too few"):
        roc_band([0, 1, 0, 1], [0.5, 0.6, 0.2, 0.7], slides, resamples=1)


@pytest.mark.parametrize("slides", [[*"aaaa"], [*"abab"]], ids=["one slide", "one slide of each class"])
def test_where_a_class_is_on_one_slide_the_band_says_nothing(slides):
    band = roc_band([0, 1, 0, 1], [0.5, 0.6, 0.2, 0.7], slides)
    inside = band[band.false_positive_rate.between(0, 1, inclusive="neither")]
    assert len(inside)
    assert (inside.low == 0).all()
    assert (inside.high == 1).all()
