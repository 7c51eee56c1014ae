import numpy as np
import pytest
import torch

from histopatch.stain import macenko
from histopatch.stain.macenko import apply, measure

LIGHT, FAINTEST = 240, 0.15  # as published (2009)


def slow_stains(patch: np.ndarray) -> np.ndarray:
    """The published method on one patch, H×W×3: densities of full haematoxylin and eosin (2×3)."""
    optical = -np.log((patch.reshape(-1, 3) + 1.0) / LIGHT)
    tissue = optical[(optical >= FAINTEST).all(axis=1)]
    _, components = np.linalg.eigh(np.cov(tissue.T))
    plane = components[:, [2, 1]]
    plane *= np.where(tissue.mean(0) @ plane < 0, -1, 1)
    angles = np.arctan2(*(tissue @ plane).T[::-1])
    ends = np.percentile(angles, [1, 99], method="nearest")
    stains = np.stack([plane @ [np.cos(end), np.sin(end)] for end in ends])
    stains = stains[np.argsort(-stains[:, 0])]  # haematoxylin, which absorbs red, first
    amounts = np.linalg.lstsq(stains.T, optical.T, rcond=None)[0]
    return stains * np.percentile(amounts, 99, axis=1, method="inverted_cdf")[:, None]


def slowly(patch: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """One patch with its stains exchanged for those of a reference (2×3)."""
    optical = -np.log((patch.reshape(-1, 3) + 1.0) / LIGHT)
    amounts = np.linalg.lstsq(slow_stains(patch).T, optical.T, rcond=None)[0]  # as shares of the full amount
    return (LIGHT * np.exp(-(reference.T @ amounts)) - 1).clip(0, 255).T.reshape(patch.shape)


def as_images(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


@pytest.fixture
def every_pixel(monkeypatch):
    """Look at all pixels, not at every second one."""
    monkeypatch.setattr(macenko, "GRID", 96)


@pytest.fixture
def tissue(patches) -> np.ndarray:
    """Patches of which enough is tissue."""
    return patches[measure(as_images(patches))[1].numpy()]


def test_stains_are_found_as_published(tissue, every_pixel):
    assert len(tissue) > 20
    stains, _ = measure(as_images(tissue))
    for patch, found in zip(tissue, stains.numpy(), strict=True):
        assert found == pytest.approx(slow_stains(patch), abs=0.01)


def test_each_patch_gets_the_stains_of_the_reference_as_published(tissue, every_pixel):
    reference = measure(as_images(tissue[3:4]))[0][0]
    changed = apply(as_images(tissue[:8]), reference).permute(0, 2, 3, 1).numpy()
    for before, after in zip(tissue, changed, strict=False):
        assert after == pytest.approx(slowly(before, reference.double().numpy()), abs=0.5)
    assert np.abs(changed[0] - tissue[0]).mean() > 2


def test_known_stains_are_found():
    """Haematoxylin alone, eosin alone, and mixtures of both, which lie between them."""
    stains = np.array([[0.65, 0.70, 0.29], [0.2, 0.93, 0.31]])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    share = rng.random((96 * 96, 1))
    share[:2000], share[2000:4000] = 0, 1
    amounts = np.hstack([share, 1 - share]) * rng.uniform(1, 1.5, (96 * 96, 1))
    patch = (LIGHT * np.exp(-amounts @ stains) - 1).reshape(1, 96, 96, 3)
    (found,), (usable,) = measure(as_images(patch))
    assert usable
    directions = found / found.norm(dim=1, keepdim=True)
    assert directions.numpy() == pytest.approx(stains, abs=0.01)
    assert found.norm(dim=1).numpy() == pytest.approx([1.5, 1.5], abs=0.05)


def test_every_second_pixel_is_enough(tissue):
    half = measure(as_images(tissue))[0]
    whole = torch.tensor(np.stack([slow_stains(patch) for patch in tissue]))
    assert ((half - whole).norm(dim=2) / whole.norm(dim=2)).median() < 0.05


def test_afterwards_the_stains_are_those_of_the_reference(tissue):
    reference = measure(as_images(tissue[3:4]))[0][0]
    before, after = (
        measure(images)[0] for images in (as_images(tissue), apply(as_images(tissue), reference))
    )
    assert (after - reference).norm(dim=2).median() < 0.25 * (before - reference).norm(dim=2).median()


@pytest.mark.parametrize("value", [0, 120, 255])
def test_a_patch_without_tissue_or_with_one_colour_stays_as_it_is(tissue, value):
    images = torch.cat([torch.full((1, 3, 96, 96), float(value)), as_images(tissue[:1])])
    stains, usable = measure(images)
    assert usable.tolist() == [False, True]
    changed = apply(images, 1.2 * stains[1])
    assert changed.isfinite().all()
    assert torch.equal(changed[0], images[0])
    assert not torch.allclose(changed[1], images[1], atol=1)


def test_a_patch_of_little_tissue_stays_as_it_is(tissue):
    patch = np.full_like(tissue[:1], 250)
    patch[:, :20, :20] = tissue[:1, :20, :20]
    images = as_images(patch)
    assert not measure(images)[1].any()
    assert torch.equal(apply(images, torch.rand(2, 3)), images)
