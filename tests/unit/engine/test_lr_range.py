import itertools
from dataclasses import replace

import pytest

from histopatch.engine.lr_range import HIGHEST, LOWEST, STEPS, range_test


@pytest.fixture
def tested(network, data, settings):
    def run(model=None, **changes) -> list[dict]:
        subset = data.subsets["train"]
        return range_test(network(model), replace(settings, **changes), data.patches, subset, 8)

    return run


def test_the_rate_rises_by_the_same_factor_until_the_highest(tested):
    rows = tested(augmentation={})
    assert rows[0]["lr"] == pytest.approx(LOWEST)
    if len(rows) == STEPS:
        assert rows[-1]["lr"] == pytest.approx(HIGHEST)
    ratios = [after["lr"] / before["lr"] for before, after in itertools.pairwise(rows)]
    assert ratios == pytest.approx([(HIGHEST / LOWEST) ** (1 / (STEPS - 1))] * (len(rows) - 1))


def test_the_loss_falls_until_it_breaks_down_which_ends_the_test(tested, tiny):
    class Fragile(tiny):
        def forward(self, images):
            too_large = (self[0].weight.abs().mean() - 0.5).clamp(min=0)
            return super().forward(images) - 1000 * too_large

    rows = tested(Fragile())
    losses = [row["smoothed_loss"] for row in rows]
    lowest = losses.index(min(losses))
    assert losses[lowest] < losses[0]
    assert len(rows) < STEPS
    assert losses[-1] > 3 * losses[lowest] >= max(losses[lowest:-1])


def test_the_smoothed_loss_is_a_weighted_mean_of_those_so_far(tested):
    rows = tested()
    weights = [0.9 ** (19 - step) for step in range(20)]
    expected = sum(w * row["loss"] for w, row in zip(weights, rows, strict=False)) / sum(weights)
    assert rows[19]["smoothed_loss"] == pytest.approx(expected)
    assert rows[0]["smoothed_loss"] == pytest.approx(rows[0]["loss"])


def test_the_settings_of_the_run_are_tested(tested):
    assert tested(seed=4) != tested()
    assert tested(augmentation={}) != tested()
    assert tested(scheduler="cosine", epochs=9, lr=0.5) == tested()
