from dataclasses import replace

import pytest
import torch
from torch import nn

from histopatch.engine.averaging import Averaging


def fill(model: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def kept(network) -> float:
    return next(network.model.parameters()).flatten()[0].item()


@pytest.mark.parametrize("decay", [0.1, 0.5, 0.9])
def test_the_average_over_steps_is_the_closed_form(network, data, settings, decay):
    """The first step sets it; what step n brings weighs 1 - d_n, times what each later step keeps."""
    values = [float(value) for value in torch.randn(40, generator=torch.Generator().manual_seed(0))]
    shares = [0.0] + [min(decay, (1 + step) / (10 + step)) for step in range(1, len(values))]
    expected = 0.0
    for step, value in enumerate(values):
        later = 1.0
        for following in shares[step + 1 :]:
            later *= following
        expected += value * (1 - shares[step]) * later
    net = network()
    averaging = Averaging(net, replace(settings, ema=decay))
    for value in values:
        fill(net.model, value)
        averaging.after_step()
    evaluated = averaging.after_epoch(1, data.patches, data.subsets["train"].rows, 8)
    assert kept(evaluated) == pytest.approx(expected, abs=1e-5)
    assert kept(net) == pytest.approx(values[-1])


def test_batch_statistics_are_averaged_and_counters_copied(network, data, settings):
    net = network(norm=True)
    averaging, norm = Averaging(net, replace(settings, ema=0.5)), net.model[1]
    for _ in range(3):
        norm(torch.randn(8, 6, 2, 2) + 5)
        averaging.after_step()
    average = averaging.after_epoch(1, data.patches, data.subsets["train"].rows, 8).model[1]
    assert average.num_batches_tracked == 3
    assert 0 < average.running_mean.min() < norm.running_mean.min()


@pytest.mark.parametrize(("swa", "expected"), [(0.1, 4.0), (0.5, 3.5), (0.75, 3.0), (1.0, 2.5)])
def test_the_mean_is_over_the_ends_of_the_last_epochs(network, data, settings, swa, expected):
    net = network()
    averaging = Averaging(net, replace(settings, swa=swa, epochs=4))
    for epoch in (1, 2, 3, 4):
        fill(net.model, -10.0)  # inside an epoch
        averaging.after_step()
        fill(net.model, epoch)
        evaluated = averaging.after_epoch(epoch, data.patches, data.subsets["train"].rows, 8)
        assert (evaluated is net) == (epoch < 4)
    assert kept(evaluated) == pytest.approx(expected)


def test_a_mean_over_epochs_has_the_batch_statistics_of_its_own_weights(network, data, settings):
    net, rows = network(norm=True), data.subsets["train"].rows
    averaging = Averaging(net, replace(settings, swa=1.0, epochs=2))
    for epoch in (1, 2):
        with torch.no_grad():
            net.model[0].weight.normal_()
        evaluated = averaging.after_epoch(epoch, data.patches, rows, len(rows))
    with torch.no_grad():
        pixels = torch.from_numpy(data.pixels)[rows]
        maps = evaluated.model[0](net.images(pixels))
    norm = evaluated.model[1]
    assert torch.allclose(norm.running_mean, maps.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(norm.running_var, maps.var((0, 2, 3)), rtol=1e-3)


def test_a_patch_that_is_left_over_counts_as_any_other(network, data, settings):
    net, rows = network(norm=True), data.subsets["train"].rows[:9]
    whole, cut = (
        Averaging(net, replace(settings, swa=1.0, epochs=1)).after_epoch(1, data.patches, rows, most).model[1]
        for most in (9, 8)
    )
    assert torch.allclose(cut.running_mean, whole.running_mean, atol=0.02 * whole.running_var.max().sqrt())


def test_without_an_average_the_weights_themselves_are_evaluated(network, data, settings):
    net = network()
    averaging = Averaging(net, settings)
    averaging.after_step()
    assert averaging.after_epoch(2, data.patches, data.subsets["train"].rows, 8) is net
