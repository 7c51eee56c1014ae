import numpy as np
import pytest
from scipy.special import expit

from histopatch.errors import InputError
from histopatch.statistics.net_benefit import decision_curve
from histopatch.statistics.proportions import korn_graubard


def draw(slides: int, patches: int, seed: int):
    """Labels, probabilities and slides that differ in their share of positives and in what they know."""
    generator = np.random.default_rng(seed)
    of = np.repeat(np.arange(slides), patches)
    logits = generator.normal(generator.normal(-0.5, 1.5, slides)[of], 1.5)
    chance = expit(0.3 + 0.8 * logits + generator.normal(0, 0.7, slides)[of])
    return (generator.random(len(of)) < chance).astype(int), expit(logits), of


def test_by_hand():
    # At 1/4 three false alarms are as bad as one that is missed: 2 true and 1 false positives of 5.
    (row,) = decision_curve([1, 1, 0, 0, 1], [0.9, 0.25, 0.3, 0.1, 0.2], thresholds=[0.25]).itertuples()
    assert row.net_benefit == pytest.approx((2 - 1 / 3) / 5)
    assert row.treat_all == pytest.approx((3 - 2 / 3) / 5)
    assert row.over_treat_all == pytest.approx(row.net_benefit - row.treat_all)


def test_it_is_that_of_the_package_dcurves():
    """Numbers of dcurves 1.1.7, `dca(...)`, which cannot be installed beside pandas 3."""
    labels = [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1]
    thresholds = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9]
    table = decision_curve(labels, np.round(np.linspace(0.02, 0.98, 25), 2), thresholds=thresholds)
    expected = [0.496842, 0.475556, 0.386667, 0.2, 0.08, -0.28]
    assert table.net_benefit.tolist() == pytest.approx(expected, abs=1e-6)
    expected = [0.494737, 0.466667, 0.36, 0.04, -0.92, -3.8]
    assert table.treat_all.tolist() == pytest.approx(expected, abs=1e-6)


def test_with_many_slides_the_band_is_that_of_the_jackknife():
    labels, probabilities, slides = draw(300, 20, seed=3)
    names = ["net_benefit", "over_treat_all"]
    (row,) = decision_curve(labels, probabilities, slides, [0.3])[names].to_numpy()
    left_out = [
        decision_curve(labels[keep], probabilities[keep], None, [0.3])[names].to_numpy()[0]
        for keep in (slides != slide for slide in range(300))
    ]
    error = np.sqrt(299 / 300 * np.square(left_out - np.mean(left_out, axis=0)).sum(axis=0))
    found = decision_curve(labels, probabilities, slides, [0.3]).iloc[0]
    for name, value, half in zip(names, row, 1.9679 * error, strict=True):
        assert found[f"{name}_low"] == pytest.approx(value - half, abs=0.1 * half)
        assert found[f"{name}_high"] == pytest.approx(value + half, abs=0.1 * half)


def test_without_false_positives_the_upper_limit_is_that_of_the_true_ones():
    labels, slides = np.tile([1, 1, 0, 0, 1], 6), np.repeat(range(6), 5)
    found = np.tile([0.9, 0.8, 0.2, 0.3, 0.1], 6)
    found[[0, 6, 11]] = 0.1
    (row,) = decision_curve(labels, found, slides, [0.5]).itertuples()
    share = korn_graubard(found >= 0.5, np.ones(30), slides)
    assert (row.net_benefit, row.net_benefit_high) == pytest.approx((share.value, share.high))
    assert row.net_benefit_low < share.low  # there may be false positives elsewhere


def test_the_band_covers_what_is_true_of_all_slides():
    truth = decision_curve(*draw(4000, 40, seed=0), [0.3])
    covered = np.zeros(2)
    for seed in range(1, 121):
        row = decision_curve(*draw(10, 40, seed), [0.3])
        covered += [
            (row[f"{name}_low"] <= truth[name]).item() and (truth[name] <= row[f"{name}_high"]).item()
            for name in ("net_benefit", "over_treat_all")
        ]
    assert (covered / 120 >= 0.9).all()


def test_positives_on_one_slide_say_no_more_than_the_possible():
    labels, slides = [1, 1, 0, 0, 0, 0], [1, 1, 1, 2, 2, 3]
    (row,) = decision_curve(labels, [0.9, 0.8, 0.2, 0.3, 0.6, 0.1], slides, [0.2]).itertuples()
    assert (row.net_benefit_low, row.net_benefit_high) == (-0.25, 1)
    assert (row.over_treat_all_low, row.over_treat_all_high) == (-1, 0.25)


def test_a_single_slide_says_no_more_than_the_possible():
    (row,) = decision_curve([1, 0], [0.9, 0.1], ["a", "a"], [0.2]).itertuples()
    assert (row.net_benefit, row.net_benefit_low, row.net_benefit_high) == (0.5, -0.25, 1)


@pytest.mark.parametrize("threshold", [0, 1, -0.1, np.nan])
def test_a_threshold_that_weighs_nothing_is_refused(threshold):
    with pytest.raises(InputError, match=r"thresholds: .* is not between 0 and 1"):
        decision_curve([0, 1], [0.2, 0.7], thresholds=[threshold])
