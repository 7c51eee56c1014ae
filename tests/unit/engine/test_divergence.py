import pytest
import torch

from histopatch.engine.divergence import EpochLoss, diverged
from histopatch.errors import InputError

CPU = torch.device("cpu")


def added(*losses: float) -> EpochLoss:
    epoch = EpochLoss(CPU)
    for loss in losses:
        epoch.add(torch.tensor(loss), patches=8)
    return epoch


def test_the_mean_is_over_patches():
    epoch = added(1.0, 2.0)
    epoch.add(torch.tensor(9.0), patches=4)
    assert epoch.mean() == pytest.approx((8 + 16 + 36) / 20)
    assert epoch.first_not_finite() is None


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(("before", "after"), [(0, 3), (2, 1), (3, 0)])
def test_the_first_step_that_is_not_finite_is_told(bad, before, after):
    """Whatever comes after it."""
    assert added(*[0.5] * before, bad, *[0.5] * after).first_not_finite() == before + 1


def test_an_infinity_is_not_made_up_for_by_another():
    assert added(0.5, torch.inf, -torch.inf).first_not_finite() == 2


@pytest.mark.parametrize(
    ("precision", "advice"), [("fp32", "; lower lr"), ("fp16", "; lower lr or use precision: fp32")]
)
def test_the_line_says_what_to_do(precision, advice):
    error = diverged("epoch 2 at step 31 of 120: the loss is not finite", 3e-4, precision)
    assert isinstance(error, InputError)
    assert str(error) == (
        "training diverged in epoch 2 at step 31 of 120: the loss is not finite "
        f"(lr 0.0003, {precision}){advice}"
    )
