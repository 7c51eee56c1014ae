import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics.multiplicity import holm


def test_holm_by_hand():
    # 4 × 0.005, 3 × 0.01, 2 × 0.03, and 1 × 0.04, which may not fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_rejects_as_its_steps_do():
    generator = np.random.default_rng(0)
    for _ in range(200):
        p_values = np.round(generator.random(6) ** 3, 2)
        rejected = np.zeros(6, bool)
        for step, index in enumerate(np.argsort(p_values)):
            if p_values[index] > 0.05 / (6 - step):
                break
            rejected[index] = True
        assert (holm(p_values) <= 0.05).tolist() == rejected.tolist()


def test_adjusted_values_end_at_one_and_equals_stay_equal():
    assert holm([0.9, 0.5, 0.5]).tolist() == [1, 1, 1]
    assert holm([0.02, 0.02]).tolist() == [0.04, 0.04]


def test_one_comparison_needs_no_adjustment():
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).tolist() == []
    assert holm([0.0, 1.0]).tolist() == [0, 1]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_one_line(value):
    with pytest.raises(InputError, match=r"^p_values: [^\n]* is outside \[0, 1\]$"):
        holm([0.5, value])
