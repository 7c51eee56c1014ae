import pytest
import torch
from torch import nn

from histopatch.augmentation.draws import draw
from histopatch.engine.gradients import Batch, accumulate_gradients


@pytest.fixture
def gradients(network, data):
    """The loss of a batch and its gradients, for a share of hard examples and a micro-batch."""

    def run(share: float, micro_batch: int = 8):
        net, train = network(), data.subsets["train"]
        rows = train.rows[:8]
        draws = draw(8, {}, torch.Generator().manual_seed(0))
        batch = Batch(torch.from_numpy(data.pixels)[rows], draws, train.labels[:8], 32, 8)
        loss_function = nn.BCEWithLogitsLoss(reduction="none")
        losses = loss_function(net.logits(batch.pixels, draws), batch.targets)
        scaler = torch.amp.GradScaler("cpu", enabled=False)
        loss, _ = accumulate_gradients(net, loss_function, scaler, batch, share, micro_batch)
        found = [parameter.grad.clone() for parameter in net.model.parameters()]
        return net, losses, loss, found

    return run


@pytest.mark.parametrize(("share", "hardest"), [(1.0, 8), (0.5, 4), (0.3, 2), (0.01, 1)])
def test_the_hardest_patches_count(gradients, share, hardest):
    net, losses, loss, found = gradients(share)
    expected = losses.sort(descending=True).values[:hardest].mean()
    assert loss.item() == pytest.approx(expected.item())
    net.model.zero_grad()
    expected.backward()
    for gradient, parameter in zip(found, net.model.parameters(), strict=True):
        assert torch.allclose(gradient, parameter.grad, atol=1e-6)


def test_parts_of_a_batch_have_their_own_hardest_patches(gradients):
    _, losses, loss, _ = gradients(0.5, micro_batch=4)
    expected = torch.stack([part.topk(2).values.mean() for part in losses.split(4)]).mean()
    assert loss.item() == pytest.approx(expected.item())
