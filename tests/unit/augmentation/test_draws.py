import sys
from types import SimpleNamespace

import pytest
import torch

from histopatch.augmentation.draws import Draws, draw
from histopatch.augmentation.geometry import draw_maps
from histopatch.augmentation.mixing import cutmix, mixup

GEOMETRY = {"flips": True, "rotation": 90.0}
BRIGHTNESS = "augmentation.operations.brightness"
MIXING = {"mixup": 0.4, "cutmix": 0.5}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_geometry_is_drawn_first():
    drawn = draw(9, GEOMETRY | {"brightness": 0.2}, generator())
    assert torch.equal(drawn.matrices, draw_maps(9, GEOMETRY, generator())[0])
    assert drawn.operations.keys() == {BRIGHTNESS}


def test_what_is_left_out_does_nothing():
    assert torch.equal(draw(5, {}, generator()).matrices, torch.eye(2).expand(5, 2, 2))


@pytest.mark.parametrize("augmentation", [GEOMETRY, {}, GEOMETRY | {"brightness": 0.0}])
def test_an_operation_that_does_nothing_draws_nothing(augmentation):
    """Or a new operation would change every training without it."""
    random, geometry = generator(), generator()
    drawn = draw(9, augmentation, random)
    draw_maps(9, {}, geometry)
    assert torch.equal(random.get_state(), geometry.get_state())
    images = torch.rand(9, 3, 4, 4)
    assert drawn.change(images) is images


def test_mixing_is_drawn_last():
    """So that it shuffles nothing else."""
    plain, mixed = (draw(9, GEOMETRY | {"stain": 0.1} | more, generator()) for more in ({}, MIXING))
    assert torch.equal(plain.matrices, mixed.matrices)
    (one,), (other,) = plain.operations.values(), mixed.operations.values()
    assert torch.equal(one, other)
    assert list(mixed.mixing) == ["augmentation.mixing.cutmix", "augmentation.mixing.mixup"]


def test_patches_are_mixed_by_one_after_the_other():
    pixels, targets = torch.randint(0, 256, (6, 9, 9, 3), dtype=torch.uint8), torch.rand(6)
    drawn = draw(6, MIXING, generator())
    expected = cutmix.apply(pixels, targets, drawn.mixing["augmentation.mixing.cutmix"])
    expected = mixup.apply(*expected, drawn.mixing["augmentation.mixing.mixup"])
    for found, wanted in zip(drawn.mix(pixels, targets), expected, strict=True):
        assert torch.equal(found, wanted)


def test_without_mixing_the_batch_is_the_same_memory():
    pixels, targets = torch.zeros(3, 4, 4, 3, dtype=torch.uint8), torch.zeros(3)
    mixed, mixed_targets = draw(3, GEOMETRY | {"mixup": 0}, generator()).mix(pixels, targets)
    assert mixed is pixels
    assert mixed_targets is targets


def test_a_slice_has_the_draws_of_its_samples():
    drawn = draw(10, GEOMETRY | {"brightness": 0.2} | MIXING, generator())
    part = drawn[4:7]
    assert torch.equal(part.matrices, drawn.matrices[4:7])
    assert torch.equal(part.operations[BRIGHTNESS], drawn.operations[BRIGHTNESS][4:7])
    for name, values in drawn.mixing.items():
        assert torch.equal(part.mixing[name], values[4:7])
    assert torch.equal(part[1:].matrices, drawn.matrices[5:7])


def test_everything_is_moved_to_the_device():
    moved = draw(3, GEOMETRY | {"brightness": 0.2, "shift": 0.1} | MIXING, generator())
    moved = moved.to(torch.device("meta"))
    drawn = [moved.matrices, moved.offsets, *moved.operations.values(), *moved.mixing.values()]
    assert [values.device.type for values in drawn] == ["meta"] * 5


def test_an_operation_is_a_module_that_is_found_by_its_key(monkeypatch):
    """In the order of their names, each applied to what the one before it made."""

    def operation(change):
        return SimpleNamespace(
            draw=lambda count, strength, generator: torch.full((count,), strength), apply=change
        )

    added = operation(lambda images, drawn: images + drawn[:, None, None, None])
    scaled = operation(lambda images, drawn: images * drawn[:, None, None, None])
    monkeypatch.setitem(sys.modules, "histopatch.augmentation.operations.added", added)
    monkeypatch.setitem(sys.modules, "histopatch.augmentation.operations.scaled", scaled)
    drawn = draw(2, {"scaled": 3.0, "added": 1.0}, generator())
    assert torch.equal(drawn.change(torch.ones(2, 3, 4, 4)), torch.full((2, 3, 4, 4), 6.0))


def test_fixed_draws_need_no_generator():
    """As averaging predictions over the eight symmetries of a patch would want them."""
    fixed = Draws(torch.eye(2).expand(4, 2, 2))
    assert fixed[:2].matrices.shape == (2, 2, 2)
