import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.leakage import overlaps
from histopatch.leakage.landmarks import LANDMARK, band_pass, find_landmarks, map_landmarks
from histopatch.leakage.symmetries import symmetries

RNG = np.random.default_rng(5)


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    return symmetries(image.transpose(2, 0, 1))[orientation].transpose(1, 2, 0)


def shifted(image: np.ndarray, filler: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """A crop that begins dy and dx pixels further on; the rest of it shows something else."""
    crop = filler.copy()
    crop[: 96 - dy, : 96 - dx] = image[dy:, dx:]
    return crop


def jittered(image: np.ndarray) -> np.ndarray:
    gain = RNG.uniform(0.85, 1.15) * RNG.uniform(0.95, 1.05, 3)
    return np.clip(np.rint(image * gain + RNG.uniform(-12, 12)), 0, 255).astype(np.uint8)


def compressed(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


def found_pairs(images: np.ndarray) -> pd.DataFrame:
    landmarks = find_landmarks(band_pass(images), np.arange(len(images)))
    return overlaps.verify(overlaps.candidates(landmarks), images, images)


def planted(patches: np.ndarray, copy) -> tuple[int, pd.DataFrame]:
    """How many of the first 16 patches are found again in copies, each in another orientation; all pairs."""
    copies = [turned(copy(patches[i], patches[i + 24]), i % 8) for i in range(16)]
    pairs = found_pairs(np.concatenate([patches, copies]))
    wanted = {(i, len(patches) + i) for i in range(16)}
    return len(wanted & set(zip(pairs.row_a, pairs.row_b, strict=True))), pairs


def test_different_tissue_makes_no_pairs(patches):
    assert found_pairs(patches).empty


@pytest.mark.parametrize("shift", [(8, 0), (8, 8), (15, 9), (0, 32), (23, 23), (32, 32)])
def test_overlapping_crops_are_found_in_every_orientation(patches, shift):
    count, pairs = planted(patches, lambda image, other: shifted(image, other, *shift))
    assert count >= 15
    mine = pairs[pairs.row_b - pairs.row_a == len(patches)]
    assert mine.overlap.to_numpy() == pytest.approx((96 - shift[0]) * (96 - shift[1]) / 96**2)


@pytest.mark.parametrize("change", [jittered, compressed, lambda image: image])
def test_copies_are_found_in_every_orientation(patches, change):
    count, pairs = planted(patches, lambda image, other: change(image))
    assert count == 16
    assert (pairs.overlap == 1).all()


def test_crops_that_are_jittered_too_are_found(patches):
    count, _ = planted(patches, lambda image, other: jittered(shifted(image, other, 16, 16)))
    assert count >= 15


def test_small_overlaps_do_not_count(patches):
    count, _ = planted(patches, lambda image, other: shifted(image, other, 40, 40))
    assert count == 0


def test_a_shared_landmark_alone_is_no_pair(patches):
    """The same 64×64 pixels, in the same place, in patches that are different otherwise."""
    a, b = patches[0].copy(), patches[1].copy()
    b[16:80, 16:80] = a[16:80, 16:80]
    landmarks = find_landmarks(band_pass(np.stack([a, b])), np.arange(2))
    pairs = overlaps.candidates(landmarks)
    assert len(pairs) == 1
    both = np.stack([a, b])
    assert overlaps.verify(pairs, both, both).empty


def test_pairs_are_listed_once_and_in_order(patches):
    pairs = found_pairs(np.concatenate([patches[:10], patches[:10][::-1]]))
    assert (pairs.row_a < pairs.row_b).all()
    assert not pairs.duplicated(["row_a", "row_b"]).any()
    assert pairs.row_a.is_monotonic_increasing


def test_no_landmarks_make_no_pairs(patches):
    pairs = overlaps.candidates(np.empty(0, LANDMARK))
    assert pairs.empty
    assert overlaps.verify(pairs, patches, patches).empty


@pytest.mark.parametrize("sorted_at_a_time", [2**20, 2000, 300])
def test_codes_that_differ_in_a_few_bits_are_found_among_many(monkeypatch, sorted_at_a_time):
    monkeypatch.setattr(overlaps, "SORTED", sorted_at_a_time)
    rng = np.random.default_rng(6)
    landmarks = np.zeros(10_000, LANDMARK)
    landmarks["row"] = rng.permutation(10_000)
    landmarks["code"] = rng.integers(0, 2**64, 10_000, np.uint64)
    for i in range(500):
        bits = rng.choice(64, 3, replace=False)
        flipped = np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64))
        landmarks["code"][i + 5000] = landmarks["code"][i] ^ flipped
    pairs = overlaps.candidates(landmarks)
    wanted = {tuple(sorted(landmarks["row"][[i, i + 5000]].tolist())) for i in range(500)}
    found = set(zip(pairs.row_a.tolist(), pairs.row_b.tolist(), strict=True))
    assert len(wanted & found) >= 490
    assert found <= wanted


@pytest.mark.parametrize("at_a_time", [3, 10, 64, 500])
def test_sorting_in_blocks_changes_nothing(monkeypatch, tmp_path, at_a_time):
    """Neighbours on two sides of a block's end, equal codes and the lowest and highest included."""
    landmarks = np.zeros(400, LANDMARK)
    landmarks["row"] = np.random.default_rng(7).permutation(400)
    landmarks["code"] = np.arange(400) // 2
    landmarks["code"][-4:] = np.uint64(2**64 - 1) - np.arange(4, dtype=np.uint64)
    landmarks.tofile(tmp_path / "landmarks")
    monkeypatch.setattr(overlaps, "TABLES", 1)  # what one order misses, no other finds
    whole = overlaps.candidates(landmarks)
    assert len(whole) > 400
    monkeypatch.setattr(overlaps, "SORTED", at_a_time)
    pd.testing.assert_frame_equal(overlaps.candidates(map_landmarks(tmp_path / "landmarks")), whole)
