import numpy as np
import pandas as pd
import pytest

from histopatch.data import appearance
from histopatch.data.appearance import measure
from histopatch.data.clusters import FEATURES

GLASS = np.full((96, 96, 3), 240, np.uint8)


def table(features: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(features, columns=FEATURES)


def test_less_stain_of_the_same_hue_looks_alike(patches):
    """Every pixel with 80 % of its optical density."""
    paler = np.rint(256 * ((patches[:6] + 1.0) / 256) ** 0.8 - 1).clip(0, 255).astype(np.uint8)
    before, after = table(measure(patches[:6])), table(measure(paler))
    spread = table(measure(patches)).std()
    change = (after - before).abs() / spread
    assert (change[["dark_red", "dark_blue", "pale_blue"]] < 0.5).all(axis=None)


def test_glass_around_the_tissue_changes_no_hue(patches):
    half = patches[:1].copy()
    half[:, :, 48:] = GLASS[:, 48:]
    mirrored = np.concatenate([patches[:1, :, :48], patches[:1, :, :48]], axis=2)
    hues = [measure(images)[0, :3] for images in (half, mirrored)]
    assert hues[0] == pytest.approx(hues[1], abs=0.005)


def test_a_blurred_patch_is_less_sharp(patches):
    blurred = (
        patches[:4].astype(float) + np.roll(patches[:4], 1, axis=1) + np.roll(patches[:4], 1, axis=2)
    ) / 3
    sharp, soft = (table(measure(images)).sharpness for images in (patches[:4], blurred.astype(np.uint8)))
    assert (soft < sharp - 0.1).all()


def test_patches_without_tissue_have_no_hue(patches):
    features = table(measure(np.concatenate([patches[:8], GLASS[None]])))
    assert features.iloc[8, :3].isna().all()
    assert features.iloc[:8].notna().all(axis=None)


def test_the_table_has_the_images_of_the_index_in_its_order(csv, patches, tmp_path, monkeypatch):
    monkeypatch.setattr(appearance, "CHUNK", 2)
    np.save(tmp_path / "pack.npy", patches[:6])
    index = csv("index.csv", "id,row", "05,5", "00,0", "03,3")
    out = tmp_path / "appearance.csv"
    appearance.appearance_files(str(tmp_path / "pack.npy"), str(index), str(out), workers=2)
    written = pd.read_csv(out, dtype={"id": str})
    assert list(written) == ["id", *FEATURES]
    assert written.id.tolist() == ["05", "00", "03"]
    assert written[FEATURES].to_numpy() == pytest.approx(measure(patches[[5, 0, 3]]), abs=1e-5)
