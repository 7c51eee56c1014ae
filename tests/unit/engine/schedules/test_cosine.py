import math

import pytest
import torch

from histopatch.engine.schedules.cosine import make


def test_the_learning_rate_falls_to_zero_along_half_a_cosine():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule, rates = make(optimizer, steps=4, warmup=0.0), []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.05 * (1 + math.cos(math.pi * step / 4)) for step in range(5)])
