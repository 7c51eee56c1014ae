"""One training of two processes on a CPU, beside the same training of one."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sharing
import torch

from histopatch.engine.processes import ALONE, Processes
from histopatch.engine.workers import together
from histopatch.settings import Settings

CPU = torch.device("cpu")
# The last batch of 27 patches has three, too few for two processes, and that of 30 six.
PATCHES = 27 + 12
SETTINGS = Settings(
    backbone="small", image_size=32, dropout=0.2, batch_size=8, epochs=3, lr=1e-2, seed=3, split="main",
    augmentation={"flips": True, "rotation": 90.0},
)  # fmt: skip
SAME_STEPS = {
    "plain": {},
    "weighted": {"pos_weight": True, "focal_gamma": 1.0, "scheduler": "one_cycle"},
    "averaged": {"ema": 0.9, "weight_decay": 0.1, "balance": "class"},
    "growing": {"swa": 0.5, "start_size": 16, "label_smoothing": 0.1},
    "thawed": {"unfreeze_epochs": 2, "layer_decay": 0.5, "patience": 1, "tta": True},
}


def of_rank(rank: int, count: int) -> Processes:
    process = Processes()
    process.rank, process.count = rank, count
    return process


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("patches", [12, 13, 14, 15, 17, 22, 24])
def test_each_patch_of_an_epoch_is_in_one_share(patches, count):
    of_processes = [of_rank(rank, count).shares(patches, 12) for rank in range(count)]
    batches = [*zip(*of_processes, strict=True)]
    places = [range(patches)[share.places] for batch in batches for share in batch]
    assert [place for part in places for place in part] == [*range(patches)]
    for batch in batches:
        sizes = [share.size for share in batch]
        assert {share.batch for share in batch} == {sum(sizes)}
        taking = [size for size in sizes if size]
        assert max(taking) - min(taking) <= 1
        assert min(taking) >= min(2, sum(sizes))  # a lone patch has no batch statistics


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """What is trained: a pack with redder positives, and the settings by name."""
    rng = np.random.default_rng(0)
    labels = np.arange(PATCHES) % 3 == 0
    pixels = rng.integers(0, 180, (PATCHES, 32, 32, 3), np.uint8)
    pixels[labels, ..., 0] += 40
    path = tmp_path_factory.mktemp("pack") / "train.npy"
    np.save(path, pixels)
    plain = replace(SETTINGS, dropout=0.0)
    named = {name: (replace(plain, **changes), False, 1) for name, changes in SAME_STEPS.items()}
    named["norm"] = (replace(plain, epochs=12), True, 1)
    named["still"] = (replace(plain, lr=1e-9), True, 1)
    going_on = replace(SETTINGS, epochs=3, ema=0.9, patience=3, scheduler="cosine")
    return {"pack": str(path), "labels": labels, "asked": named, "going_on": going_on}


@pytest.fixture(scope="module")
def of_two(asked):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(sharing.__file__).parent))
        with together([CPU, CPU], "sharing", asked) as processes:
            return sharing.train_all(processes, **asked)


@pytest.fixture(scope="module")
def of_one(asked):
    return sharing.train_all(ALONE, **asked)


def close(value):
    return pytest.approx(value, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", SAME_STEPS)
def test_two_processes_take_the_steps_of_one(of_one, of_two, name):
    """Without batch statistics: same losses, same weights, same logits of the same patches in their order."""
    one, two = of_one[name], of_two[name]
    assert two["kept"] == one["kept"]
    assert len(two["history"]) == len(one["history"])
    for row, expected in zip(two["history"], one["history"], strict=True):
        assert row == close(expected)
    assert np.allclose(two["logits"], one["logits"], rtol=1e-4, atol=1e-5)
    for tensor, weights in one["weights"].items():
        assert np.allclose(two["weights"][tensor], weights, rtol=1e-3, atol=1e-5), tensor


@pytest.mark.parametrize("name", ["plain", "norm"])
def test_each_patch_is_read_by_one_process_once_an_epoch(of_two, name):
    first, second = of_two[name]["seen"]
    assert len(first) == len(second) == len(of_two[name]["history"])
    for epoch in zip(first, second, strict=True):
        assert sorted(itertools.chain(*epoch)) == [*range(PATCHES - 12)]


def test_batch_statistics_of_the_shares_do_as_well(of_one, of_two):
    """Each process normalises with its own share, so weights differ; what they are worth does not."""
    one, two = (of["norm"]["history"][-1]["val_auc"] for of in (of_one, of_two))
    assert min(one, two) > 0.95


def test_running_statistics_are_the_mean_over_the_processes(of_one, of_two):
    """Those of a mean are those of the whole batch, as long as the weights stay; of the last batch, of three
    patches, one process sees nothing."""
    one, two = (of["still"]["weights"]["1.running_mean"] for of in (of_one, of_two))
    assert two == pytest.approx(one, abs=0.01)


def test_all_processes_end_with_the_same_bits(of_two):
    first, second = of_two["everywhere"]
    assert first == second


def test_going_on_gives_the_same_bits_in_each_process(of_two):
    """With dropout, which each process draws for itself."""
    whole, resumed = of_two["whole"], of_two["resumed"]
    assert len(whole["states"][0]["random"]) == 2
    for fact in ("weights", "history", "logits"):
        assert resumed[fact] == whole[fact]


def test_order_and_augmentation_are_the_same_in_each_process(of_two):
    first, second = of_two["whole"]["states"][0]["random"]
    assert torch.equal(first["generator"], second["generator"])
