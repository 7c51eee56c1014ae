import numpy as np
import pandas as pd
import pytest

from histopatch.leakage import duplicates
from histopatch.leakage.symmetries import symmetries


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    return symmetries(image.transpose(2, 0, 1))[orientation].transpose(1, 2, 0)


@pytest.fixture
def find(tmp_path):
    """Find the duplicates of a pack of images with one-letter ids; the pairs by kind."""

    def run(images, rows=None, workers=1) -> dict[str, set[str]]:
        np.save(tmp_path / "pack.npy", np.stack(images))
        rows = range(len(images)) if rows is None else rows
        index = pd.DataFrame({"id": [chr(97 + row) for row in rows], "row": rows})
        index.to_parquet(tmp_path / "index.parquet", index=False)
        paths = [str(tmp_path / name) for name in ("pack.npy", "index.parquet", "duplicates.csv")]
        duplicates.duplicate_files(*paths, workers=workers)
        table = pd.read_csv(paths[-1], dtype={"id_a": str, "id_b": str})
        assert list(table) == ["kind", "id_a", "id_b", "correlation", "overlap"]
        return {kind: set(group.id_a + group.id_b) for kind, group in table.groupby("kind")}

    return run


def test_different_tissue_has_no_duplicates(find, patches):
    assert find(patches[:20]) == {}


def test_identical_images_are_found_and_are_not_near(find, patches):
    assert find([*patches[:3], patches[1], patches[1]]) == {"identical": {"bd", "be", "de"}}


def test_identical_glass_is_found_too(find, patches):
    white = np.full_like(patches[0], 255)
    assert find([white, patches[0], white]) == {"identical": {"ac"}}


def test_one_pixel_makes_images_different(find, patches):
    other = patches[0].copy()
    other[50, 50, 1] ^= 1
    assert find([patches[0], other]) == {"near": {"ab"}}


@pytest.mark.parametrize("orientation", range(1, 8))
def test_flipped_and_turned_images_are_found(find, patches, orientation):
    assert find([*patches[:3], turned(patches[1], orientation)]) == {"turned": {"bd"}}


def test_near_duplicates_are_found(find, patches):
    crop = patches[5].copy()
    crop[:70, :70] = patches[0][26:, 26:]
    assert find([*patches[:3], turned(crop, 5)]) == {"near": {"ad"}}


def test_rows_that_the_index_leaves_out_are_ignored(find, patches):
    assert find([patches[0], patches[0], patches[0]], rows=[2, 0]) == {"identical": {"ac"}}


def test_many_copies_are_paired_with_the_first_one_only(find, patches, monkeypatch):
    monkeypatch.setattr(duplicates, "MAX_ALL_PAIRS", 3)
    found = find([patches[0]] * 3 + [patches[1]] * 4)
    assert found == {"identical": {"ab", "ac", "bc", "de", "df", "dg"}}


def test_chunks_and_workers_change_nothing(find, patches, monkeypatch):
    images = [*patches[:8], *(turned(image, 3) for image in patches[:4]), patches[0]]
    whole = find(images)
    monkeypatch.setattr(duplicates, "CHUNK", 3)
    assert find(images, workers=2) == whole
    assert len(whole["turned"]) == 5


def test_a_pack_of_small_patches_has_identical_images_only(find, patches):
    small = [image[:16, :16] for image in patches[:3]]
    assert find([*small, small[2]]) == {"identical": {"cd"}}
