from collections import Counter

import pytest
import torch

from histopatch.engine.order import epoch_order


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


CLASSES = torch.tensor([0] * 18 + [1] * 6)
SLIDES = torch.tensor([0] * 10 + [1] * 2 + [2] * 6 + [1] * 5 + [3])


def test_without_groups_each_patch_is_seen_once_in_the_order_that_a_seed_gives(generator):
    expected = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    assert torch.equal(epoch_order(24, 23, [], generator), expected[:23])
    assert not torch.equal(epoch_order(24, 24, [], generator), expected)  # the next epoch


@pytest.mark.parametrize(("groups", "size"), [(CLASSES, 2), (SLIDES, 4)])
def test_every_batch_has_as_many_patches_of_each_group(generator, groups, size):
    order = epoch_order(24, 24, [groups], generator)
    for batch in groups[order].view(-1, size):
        assert sorted(batch.tolist()) == list(range(size))


def test_the_patches_of_a_group_take_turns(generator):
    counts = Counter(epoch_order(24, 24, [CLASSES], generator).tolist())
    assert all(counts[patch] == 2 for patch in range(18, 24))  # 12 places for 6 patches
    assert {counts[patch] for patch in range(18)} == {0, 1}  # and for 18


def test_slides_are_balanced_within_each_class(generator):
    order = epoch_order(24, 1200, [CLASSES, SLIDES], generator)
    seen = Counter(zip(CLASSES[order].tolist(), SLIDES[order].tolist(), strict=True))
    assert seen == {(0, 0): 200, (0, 1): 200, (0, 2): 200, (1, 1): 300, (1, 3): 300}


def test_every_patch_has_its_turn_over_the_epochs(generator):
    seen = torch.cat([epoch_order(24, 24, [CLASSES], generator) for _ in range(12)])
    assert len(seen.unique()) == 24
