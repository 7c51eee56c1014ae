import numpy as np
import pytest
import scipy.stats
import torch

from histopatch.augmentation.mixing.mixup import apply, draw


def drawn(count: int, strength: float, seed: int = 0) -> torch.Tensor:
    return draw(count, strength, torch.Generator().manual_seed(seed))


def test_each_patch_and_target_is_averaged_with_the_one_half_a_batch_away(patches):
    patches, shares = patches[:4], [0.0, 0.3, 0.9, 1.0]
    pixels, targets = torch.from_numpy(patches), torch.tensor([0.0, 1.0, 1.0, 0.5])
    mixed, mixed_targets = apply(pixels, targets, torch.tensor(shares))
    assert mixed.dtype == torch.uint8
    for i, share in enumerate(shares):
        expected = share * patches[i].astype(float) + (1 - share) * patches[i - 2]
        assert mixed[i].numpy() == pytest.approx(expected, abs=0.51)
        expected = share * targets[i] + (1 - share) * targets[i - 2]
        assert mixed_targets[i].item() == pytest.approx(expected.item())


def test_what_is_given_stays_as_it_is(patches):
    pixels, targets = torch.from_numpy(patches[:4].copy()), torch.tensor([0.0, 1.0, 1.0, 0.0])
    apply(pixels, targets, drawn(4, 1.0))
    assert np.array_equal(pixels, patches[:4])
    assert targets.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("strength", [0.2, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(strength):
    shares = drawn(4000, strength)
    assert (shares.dtype, shares.shape) == (torch.float32, (4000,))
    assert scipy.stats.kstest(shares, scipy.stats.beta(strength, strength).cdf).pvalue > 0.001


def test_a_seed_draws_the_same_shares_and_the_generator_goes_on():
    generator = torch.Generator().manual_seed(0)
    first, second = draw(9, 0.4, generator), draw(9, 0.4, generator)
    assert torch.equal(first, drawn(9, 0.4))
    assert not torch.equal(first, second)
