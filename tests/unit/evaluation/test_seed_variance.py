import numpy as np
import pandas as pd
import pytest
from scipy import stats

from histopatch.evaluation.seed_variance import seed_variance, widen


def study(*aurocs: list[float]) -> pd.DataFrame:
    """A study of configurations that differ in lr, each with as many seeds as AUROCs are given."""
    rows = [
        {"lr": number, "seed": seed, "final_val_auc": auc}
        for number, of_run in enumerate(aurocs)
        for seed, auc in enumerate(of_run)
    ]
    return pd.DataFrame(rows)


def test_the_variance_is_pooled_over_runs_as_in_an_analysis_of_variance():
    first, second = [0.90, 0.92, 0.97], [0.80, 0.81]
    variance, freedom = seed_variance(study(first, second, [0.7]))
    assert freedom == 3
    within = stats.f_oneway(first, second)  # F = between / within; the means' part is computed by hand
    mean = np.mean(first + second)
    between = 3 * (np.mean(first) - mean) ** 2 + 2 * (np.mean(second) - mean) ** 2
    assert variance == pytest.approx(between / within.statistic)


def test_without_repeats_nothing_is_known():
    assert seed_variance(study([0.9], [0.8])) is None


def test_without_variation_the_limits_stay():
    low, high = widen(np.array([0.01]), np.array([-0.01]), np.array([0.02]), np.ones((1, 2)), 0.0, 4)
    assert (low, high) == (pytest.approx([-0.01]), pytest.approx([0.02]))


def test_a_contrast_that_cannot_be_paired_stays_without_limits():
    low, high = widen(np.array([0.01]), np.array([np.nan]), np.array([np.nan]), np.ones((1, 2)), 1e-4, 4)
    assert np.isnan([*low, *high]).all()


@pytest.mark.parametrize(("runs", "seeds"), [(2, 3), (2, 2), (4, 3)])
@pytest.mark.parametrize("share", [0.5, 1.0, 3.0])
def test_intervals_with_seeds_cover_the_effect_of_another_training(runs, seeds, share):
    """20,000 effects of no size: noise of slides, and of seeds with a share of its standard deviation."""
    rng, count = np.random.default_rng(0), 20_000
    weights = np.repeat(np.where(np.arange(runs) < runs / 2, 1, -1) * 2 / runs / seeds, seeds)
    trained = rng.normal(0, share, (count, runs, seeds))
    effect = rng.normal(size=count) + trained.reshape(count, -1) @ weights
    variance = trained.var(axis=2, ddof=1).mean(axis=1)
    half = stats.norm.ppf(0.975)
    covered = {}
    for name, of_seeds in (("without", np.zeros(count)), ("with", variance)):
        limits = [
            widen(
                effect[[i]],
                effect[[i]] - half,
                effect[[i]] + half,
                weights[None],
                of_seeds[i],
                runs * (seeds - 1),
            )
            for i in range(0, count, 10)
        ]
        covered[name] = np.mean([low[0] <= 0 <= high[0] for low, high in limits])
    assert covered["with"] > 0.935
    assert covered["with"] > covered["without"]
