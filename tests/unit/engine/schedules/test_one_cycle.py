import math

import pytest
import torch

from histopatch.engine.schedules.one_cycle import make

STEPS = 20


def rates(steps: int) -> list[float]:
    optimizer = torch.optim.AdamW([torch.zeros(1)], lr=0.1)
    schedule, found = make(optimizer, steps, 0.0), []
    for _ in range(steps + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_the_rate_rises_and_falls_along_half_cosines():
    """From lr / 25 to lr in the first three tenths of the steps, and from there to lr / 250,000."""
    top = 0.3 * (STEPS + 1) - 1

    def expected(step: int) -> float:
        if step <= top:
            start, end, share = 0.1 / 25, 0.1, step / top
        else:
            start, end, share = 0.1, 0.1 / 25e4, (step - top) / (STEPS - top)
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    assert rates(STEPS) == pytest.approx([expected(step) for step in range(STEPS + 1)])


def test_the_momentum_stays():
    optimizer = torch.optim.AdamW([torch.zeros(1)], lr=0.1)
    schedule = make(optimizer, STEPS, 0.0)
    for _ in range(STEPS):
        assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)
        optimizer.step()
        schedule.step()
