import numpy as np
import pytest

from histopatch.leakage.landmarks import REACH, band_pass, find_landmarks
from histopatch.leakage.symmetries import symmetries, turn_point


def landmarks_of(*images: np.ndarray) -> np.ndarray:
    return find_landmarks(band_pass(np.stack(images)), np.arange(len(images)))


def places(landmarks: np.ndarray, shift: int = 0) -> set[tuple[int, int, int]]:
    return {(int(y) + shift, int(x) + shift, int(code)) for _, y, x, code in landmarks.tolist()}


def test_tissue_has_landmarks_and_glass_has_none(patches):
    glass = np.random.default_rng(0).normal(235, 2.5, (96, 96, 3)).clip(0, 255).astype(np.uint8)
    found = landmarks_of(patches[0], glass)
    assert 8 <= len(found) <= 60
    assert (found["row"] == 0).all()


def test_rows_are_those_of_the_pack(patches):
    found = find_landmarks(band_pass(patches[:2]), np.array([7, 90]))
    assert set(found["row"].tolist()) == {7, 90}


@pytest.mark.parametrize("orientation", range(8))
def test_flips_and_turns_move_landmarks_and_keep_their_codes(patches, orientation):
    turned = symmetries(patches[1].transpose(2, 0, 1))[orientation].transpose(1, 2, 0)
    expected = {(*turn_point(y, x, 96, orientation), code) for y, x, code in places(landmarks_of(patches[1]))}
    found = places(landmarks_of(turned))
    # The last digits of a sum depend on its order, so a bit whose two templates fit alike may differ.
    assert {place[:2] for place in found} == {place[:2] for place in expected}
    assert len(found & expected) >= 0.9 * len(expected)


def test_a_crop_keeps_the_landmarks_that_are_well_inside_it(patches):
    whole = np.concatenate([np.concatenate(patches[i : i + 2], axis=1) for i in (0, 2)])
    a, b = whole[:96, :96], whole[20:116, 20:116]
    inside = {p for p in places(landmarks_of(a)) if min(p[:2]) >= 20 + 2 * REACH}
    assert inside
    assert {p for p in inside if max(p[:2]) < 96 - 2 * REACH} <= places(landmarks_of(b), shift=20)


def test_brightness_changes_few_bits(patches):
    brighter = np.rint(patches[2] * 0.9 + 8).astype(np.uint8)
    a, b = ({p[:2]: p[2] for p in places(landmarks_of(image))} for image in (patches[2], brighter))
    common = a.keys() & b.keys()
    assert len(common) >= 0.8 * len(a)
    assert np.median([(a[place] ^ b[place]).bit_count() for place in common]) <= 3


def test_different_tissue_has_codes_apart(patches):
    found = landmarks_of(*patches[:20])
    codes, rows = found["code"], found["row"]
    distance = np.bitwise_count(codes[:, None] ^ codes)
    assert np.median(distance[rows[:, None] != rows]) > 20


def test_patches_too_small_for_a_neighbourhood_have_none(patches):
    assert len(landmarks_of(patches[0][:32, :32])) == 0
    assert len(landmarks_of(patches[0][:16, :16])) == 0
