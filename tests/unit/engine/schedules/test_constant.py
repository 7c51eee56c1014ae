import torch

from histopatch.engine.schedules.constant import make


def test_the_learning_rate_stays():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = make(optimizer, steps=3, warmup=0.0)
    for _ in range(3):
        assert optimizer.param_groups[0]["lr"] == 0.1
        optimizer.step()
        schedule.step()
