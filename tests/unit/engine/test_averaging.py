import pytest
import torch
from torch import nn

from histopatch.engine.averaging import averaged


def follow(decay: float, values: list[float]) -> float:
    """The average of a weight that takes some values, one after each step."""
    model = nn.Linear(1, 1, bias=False)
    average = averaged(model, decay)
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
        average.update_parameters(model)
    return average.module.weight.item()


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_it_is_the_closed_form(decay):
    """The first step sets it; what step n brings weighs 1 - d_n, times what each later step keeps."""
    values = [float(value) for value in torch.randn(40, generator=torch.Generator().manual_seed(0))]
    kept = [0.0] + [min(decay, (1 + step) / (10 + step)) for step in range(1, len(values))]
    expected = 0.0
    for step, value in enumerate(values):
        later = 1.0
        for following in kept[step + 1 :]:
            later *= following
        expected += value * (1 - kept[step]) * later
    assert follow(decay, values) == pytest.approx(expected, abs=1e-5)


def test_batch_statistics_are_averaged_and_counters_copied():
    model = nn.BatchNorm1d(2)
    average = averaged(model, 0.5)
    for _ in range(3):
        model(torch.randn(8, 2) + 5)
        average.update_parameters(model)
    assert average.module.num_batches_tracked == 3
    assert 0 < average.module.running_mean.min() < model.running_mean.min()
