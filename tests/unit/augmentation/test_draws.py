import sys
from types import SimpleNamespace

import pytest
import torch

from histopatch.augmentation.draws import Draws, draw
from histopatch.augmentation.geometry import draw_maps

GEOMETRY = {"flips": True, "rotation": 90.0}
BRIGHTNESS = "augmentation.operations.brightness"


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


def test_a_slice_has_the_draws_of_its_samples():
    drawn = draw(10, GEOMETRY | {"brightness": 0.2}, generator())
    part = drawn[4:7]
    assert torch.equal(part.matrices, drawn.matrices[4:7])
    assert torch.equal(part.operations[BRIGHTNESS], drawn.operations[BRIGHTNESS][4:7])
    assert torch.equal(part[1:].matrices, drawn.matrices[5:7])


def test_everything_is_moved_to_the_device():
    moved = draw(3, GEOMETRY | {"brightness": 0.2}, generator()).to(torch.device("meta"))
    assert moved.matrices.device.type == moved.operations[BRIGHTNESS].device.type == "meta"


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
