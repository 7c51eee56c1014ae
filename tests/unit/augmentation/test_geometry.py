import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image

from histopatch.augmentation.draws import Draws
from histopatch.augmentation.geometry import CORNER, draw_maps, flip_rotate
from histopatch.augmentation.prepare import prepare

SCALED = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # normalisation that leaves values in [0, 1]
SIGNS = [(1, 1), (-1, 1), (1, -1), (-1, -1)]


def random_pixels(count: int = 1, size: int = 96) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def smooth_pixels(size: int = 96) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(size, size, 3))
    smooth = scipy.ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.interp(smooth, (smooth.min(), smooth.max()), (0, 255)).astype(np.uint8)[None]


def moved(pixels: np.ndarray, degrees: float, signs=(1, 1), size: int | None = None) -> np.ndarray:
    """The patches after mirroring and rotation, as N×H×W×3 with values 0-255."""
    matrices = flip_rotate(torch.full((len(pixels),), math.radians(degrees)), torch.tensor([signs]))
    images = prepare(torch.from_numpy(pixels), size or pixels.shape[1], *SCALED, Draws(matrices))
    return images.permute(0, 2, 3, 1).numpy() * 255


def mirrored(pixels: np.ndarray, signs) -> np.ndarray:
    for axis, sign in zip((2, 1), signs, strict=True):  # x runs along columns
        pixels = np.flip(pixels, axis) if sign == -1 else pixels
    return pixels


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("size", [16, 17])
def test_flips_and_quarter_turns_move_pixels_exactly(signs, quarters, size):
    pixels = random_pixels(2, size)
    expected = np.rot90(mirrored(pixels, signs), quarters, axes=(1, 2))
    assert moved(pixels, 90 * quarters, signs) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("degrees", [-90, -61.5, 30, 45, 77])
@pytest.mark.parametrize("signs", SIGNS)
def test_a_rotation_is_scipys_with_mirrored_borders(degrees, signs):
    pixels = random_pixels(size=32)
    image = mirrored(pixels, signs)[0].astype(float)
    expected = scipy.ndimage.rotate(image, degrees, reshape=False, order=1, mode="reflect")
    assert moved(pixels, degrees, signs)[0] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("degrees", [-70, 20])
def test_a_rotation_is_pils_in_the_interior(degrees):
    pixels = smooth_pixels()
    channels = [Image.fromarray(pixels[0, ..., c].astype(np.float32)) for c in range(3)]
    expected = np.stack([np.asarray(c.rotate(degrees, Image.Resampling.BILINEAR)) for c in channels], -1)
    inside = slice(20, 76)
    assert moved(pixels, degrees)[0][inside, inside] == pytest.approx(expected[inside, inside], abs=0.1)


@pytest.mark.parametrize("degrees", [0, 33])
@pytest.mark.parametrize("size", [48, 96, 224])
def test_there_are_no_black_corners(degrees, size):
    white = np.full((1, 96, 96, 3), 200, np.uint8)
    assert moved(white, degrees, size=size) == pytest.approx(200, abs=0.01)


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    images = prepare(torch.from_numpy(pixels), size, *SCALED)
    return images.permute(0, 2, 3, 1).numpy() * 255


@pytest.mark.parametrize("size", [48, 64, 112, 224])
@pytest.mark.parametrize("make", [random_pixels, smooth_pixels])
def test_resizing_is_pils_within_rounding(make, size):
    """PIL rounds to whole numbers after each of its two passes."""
    pixels = make()
    expected = Image.fromarray(pixels[0]).resize((size, size), Image.Resampling.BILINEAR)
    found = resized(pixels, size)[0]
    assert found.shape == (size, size, 3)
    assert np.abs(found - np.asarray(expected, float)).max() <= 1.01


def test_patches_of_the_right_size_keep_their_pixels():
    pixels = random_pixels(2)
    assert resized(pixels, 96) == pytest.approx(pixels, abs=1e-3)


@pytest.mark.parametrize("size", [48, 96, 224])
def test_resizing_while_moving_is_resizing(size):
    pixels = random_pixels()
    assert moved(pixels, 0, size=size) == pytest.approx(resized(pixels, size), abs=0.01)


@pytest.mark.parametrize("size", [48, 224])
def test_a_patch_is_moved_and_resized_at_once(size):
    pixels = random_pixels()
    expected = np.rot90(resized(np.flip(pixels, 2).copy(), size), 1, axes=(1, 2))
    assert moved(pixels, 90, (-1, 1), size) == pytest.approx(expected, abs=0.01)


def draw(count: int, seed: int = 0, flips: bool = True, rotation: float = 90.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return draw_maps(count, {"flips": flips, "rotation": rotation}, generator)[0]


def degrees_of(matrices: torch.Tensor) -> torch.Tensor:
    """The angle of matrices without a mirroring: they undo a turn that is counter-clockwise on screen."""
    return torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))


def test_every_sample_is_moved_in_its_own_way():
    pixels = torch.from_numpy(np.repeat(random_pixels(size=16), 8, axis=0))
    images = prepare(pixels, 16, *SCALED, Draws(draw(8)))
    assert len(torch.unique(images.flatten(1), dim=0)) == 8


def test_the_same_seed_draws_the_same():
    assert torch.equal(draw(50), draw(50))
    assert not torch.equal(draw(50), draw(50, seed=1))


def test_a_generator_goes_on_drawing():
    generator = torch.Generator().manual_seed(0)
    first, second = (draw_maps(50, {"flips": True, "rotation": 90.0}, generator)[0] for _ in range(2))
    assert not torch.equal(first, second)


def test_each_axis_is_mirrored_half_of_the_time():
    signs = draw(4000, rotation=0.0).diagonal(dim1=1, dim2=2)
    assert set(map(tuple, signs.tolist())) == set(SIGNS)
    assert signs.mean(0).abs().max() < 0.06
    assert abs(signs.prod(1).mean()) < 0.06  # and one whatever the other


def test_angles_are_spread_over_the_range():
    angles = degrees_of(draw(4000, flips=False, rotation=60.0))
    assert angles.min() == pytest.approx(-60, abs=1)
    assert angles.max() == pytest.approx(60, abs=1)
    assert angles.mean() == pytest.approx(0, abs=2)
    assert angles.std() == pytest.approx(120 / math.sqrt(12), abs=1)


def test_turns_and_flips_keep_lengths():
    matrices = draw(100)
    assert torch.allclose(matrices @ matrices.transpose(1, 2), torch.eye(2), atol=1e-5)
    assert set(torch.linalg.det(matrices).round().tolist()) == {-1, 1}
    assert (torch.linalg.det(draw(100, flips=False)) > 0).all()


def test_no_augmentation_moves_nothing():
    assert torch.equal(draw(5, flips=False, rotation=0.0), torch.eye(2).expand(5, 2, 2))


def test_the_seed_draws_the_same_flips_with_and_without_turns():
    """Turning rotation off must not shuffle what else is drawn from the generator."""
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    for generator, flips, rotation in zip(generators, (True, False), (90.0, 0.0), strict=True):
        draw_maps(7, {"flips": flips, "rotation": rotation}, generator)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


def drawn_maps(strengths: dict, count: int = 4000) -> tuple[torch.Tensor, torch.Tensor | None]:
    return draw_maps(count, strengths, torch.Generator().manual_seed(0))


def test_flips_and_quarter_turns_are_the_eight_symmetries_alike():
    matrices, _ = drawn_maps({"flips": True, "quarter_turns": True})
    kinds, counts = torch.unique(matrices.round().flatten(1), dim=0, return_counts=True)
    assert len(kinds) == 8
    assert torch.allclose(matrices, matrices.round(), atol=1e-6)
    assert counts.min() > 400


def test_magnifications_are_spread_over_the_range():
    matrices, offsets = drawn_maps({"zoom": 0.5})
    magnified = 1 / matrices[:, 0, 0]
    assert offsets is None
    assert magnified.min().item() == pytest.approx(1 / 1.5, abs=0.01)
    assert magnified.max().item() == pytest.approx(1.5, abs=0.01)
    assert magnified.log().mean().item() == pytest.approx(0, abs=0.02)


def test_a_magnified_patch_is_its_middle():
    pixels = smooth_pixels()
    images = prepare(torch.from_numpy(pixels), 96, *SCALED, Draws(torch.eye(2)[None] / 2))
    expected = Image.fromarray(pixels[0, 24:72, 24:72]).resize((96, 96), Image.Resampling.BILINEAR)
    found = images[0].permute(1, 2, 0).numpy() * 255
    assert found[4:-4, 4:-4] == pytest.approx(np.asarray(expected, float)[4:-4, 4:-4], abs=1.5)


def test_an_offset_moves_the_patch():
    """By a quarter of its size: what was 24 pixels to the right of a place is seen there."""
    pixels = random_pixels()
    draws = Draws(torch.eye(2)[None], offsets=torch.tensor([[0.5, 0.0]]))
    found = prepare(torch.from_numpy(pixels), 96, *SCALED, draws)[0].permute(1, 2, 0).numpy() * 255
    assert found[:, :72] == pytest.approx(pixels[0, :, 24:], abs=0.01)


def test_the_central_third_stays_in_view():
    """Whatever is drawn: its corners, seen from the output, are within it."""
    strengths = {"flips": True, "rotation": 180.0, "zoom": 0.5, "shift": 0.3}
    matrices, offsets = drawn_maps(strengths)
    corners = torch.cartesian_prod(torch.tensor([-1 / 3, 1 / 3]), torch.tensor([-1 / 3, 1 / 3]))
    seen_at = torch.linalg.solve(matrices, (corners[None] - offsets[:, None]).transpose(1, 2))
    assert seen_at.abs().max() <= 1 + 1e-5
    assert math.hypot(1 / 3, 1 / 3) == pytest.approx(CORNER)


def test_shifts_are_spread_over_the_range():
    _, offsets = drawn_maps({"shift": 0.1})
    assert offsets.abs().max().item() == pytest.approx(0.2, abs=0.001)
    assert offsets.mean(0).abs().max() < 0.01


def test_what_is_not_asked_for_draws_nothing():
    plain, moved = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    draw_maps(9, {"flips": True}, plain)
    draw_maps(9, {"flips": True, "quarter_turns": False, "zoom": 0, "shift": 0}, moved)
    assert torch.equal(plain.get_state(), moved.get_state())
