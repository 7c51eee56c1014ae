import math

import pytest
import torch

from histopatch.engine.schedules import constant, cosine

STEPS, RISING = 20, 5


def rates(schedule) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    made, found = schedule.make(optimizer, STEPS, RISING / STEPS), []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    return found


@pytest.mark.parametrize("schedule", [constant, cosine])
def test_the_rate_rises_linearly_from_a_hundredth(schedule):
    expected = [0.1 * (0.01 + 0.99 * step / RISING) for step in range(RISING)]
    assert rates(schedule)[:RISING] == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("schedule", [constant, cosine])
def test_a_warm_up_of_nearly_all_steps_leaves_one_for_the_schedule(schedule, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    made, found = schedule.make(optimizer, steps, 0.99), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    assert found == sorted(found)
    assert found[-1] == pytest.approx(0.1)


def test_then_the_schedule_begins():
    rest = STEPS - RISING
    assert rates(constant)[RISING:] == pytest.approx([0.1] * rest)
    falling = [0.05 * (1 + math.cos(math.pi * step / rest)) for step in range(rest)]
    assert rates(cosine)[RISING:] == pytest.approx(falling)
