"""Images that two packs share."""

import numpy as np
import pandas as pd
import pytest

from histopatch.files import read_table
from histopatch.leakage.shared import shared_images


@pytest.fixture
def shared(tmp_path):
    def run(theirs: np.ndarray, own: np.ndarray, ids=None) -> pd.DataFrame:
        for name, images in (("theirs", theirs), ("own", own)):
            np.save(tmp_path / f"{name}.npy", images)
            index = pd.DataFrame(
                {"id": [f"{name}{n}" for n in range(len(images))], "row": range(len(images))}
            )
            index.to_csv(tmp_path / f"{name}.csv", index=False)
        patches = read_table(tmp_path / "theirs.csv")[["id"]]
        (patches if ids is None else pd.DataFrame({"id": ids})).to_csv(tmp_path / "patches.csv", index=False)
        packs = [str(tmp_path / f) for f in ("theirs.npy", "theirs.csv", "own.npy", "own.csv", "patches.csv")]
        shared_images(*packs, str(tmp_path / "shared.csv"), workers=1)
        return read_table(tmp_path / "shared.csv")

    return run


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)


def test_equal_and_turned_images_are_found(shared, images):
    theirs = images.copy()
    theirs[:3] = images[[5, 4, 4]]
    theirs[1] = np.rot90(images[4])
    theirs[3] = images[3] ^ 1
    theirs[4:] ^= 3
    found = shared(theirs, images)
    expected = [
        ("theirs0", "own5", "identical", 1, 1),
        ("theirs1", "own4", "turned", 1, 1),
        ("theirs2", "own4", "identical", 1, 1),
    ]
    assert [*found.itertuples(index=False, name=None)] == expected


def test_overlapping_and_darker_crops_are_found(shared, patches):
    own, theirs = patches[:12], patches[12:24].copy()
    theirs[3, :, :64] = own[7, :, 32:]
    theirs[5] = np.rot90(own[2] // 8 * 7)
    found = shared(theirs, own)
    assert [*found.id, *found.own_id, *found.kind] == ["theirs3", "theirs5", "own7", "own2", "near", "near"]
    assert [*found.overlap] == pytest.approx([64 / 96, 1], abs=1e-4)


def test_near_duplicates_within_one_pack_are_not_shared(shared, patches):
    own, theirs = patches[:12].copy(), patches[12:24].copy()
    for images in (own, theirs):
        images[1, :, :64] = images[0, :, 32:]
    assert shared(theirs, own).empty


def test_a_patch_is_listed_once_with_the_image_it_is_most_like(shared, patches):
    own, theirs = patches[:12].copy(), patches[12:24].copy()
    own[3] = own[8]
    own[3, :, :32] = own[9, :, :32]
    theirs[2] = own[8]
    found = shared(theirs, own)
    assert [*zip(found.id, found.own_id, found.kind, strict=True)] == [("theirs2", "own8", "identical")]


def test_only_patches_count(shared, images):
    assert [*shared(images, images, ids=["theirs2", "theirs5"]).id] == ["theirs2", "theirs5"]


def test_images_of_another_size_share_nothing(shared, images):
    assert shared(images[:, :8, :8], images).empty
