import numpy as np
import pandas as pd
import pytest
import torch

from histopatch.augmentation import gallery
from histopatch.augmentation.operations import jpeg
from histopatch.schema import augmentation_examples


@pytest.fixture
def write(patches, tmp_path):
    """Write the gallery of some patches and return its arrays."""

    def run(strengths: dict, methods=("reinhard",), pixels: np.ndarray = patches) -> dict[str, np.ndarray]:
        np.save(tmp_path / "pack.npy", pixels)
        statistics = {name: getattr(pixels, name)(axis=(1, 2, 3)) for name in ("mean", "std")}
        index = pd.DataFrame({"row": range(len(pixels))} | statistics)
        index.sample(frac=1, random_state=0).to_parquet(tmp_path / "index.parquet", index=False)
        files = (str(tmp_path / name) for name in ("pack.npy", "index.parquet"))
        gallery.gallery(*files, strengths, methods, str(tmp_path / "gallery.npz"))
        with np.load(tmp_path / "gallery.npz") as arrays:
            return dict(arrays)

    return run


def test_every_augmentation_is_shown_and_changes_the_patch(write):
    strengths = augmentation_examples()
    arrays = write(strengths)
    assert arrays["augmentation"].tolist() == list(strengths)
    shown = dict(zip(arrays["augmentation"].tolist(), arrays["strength"].tolist(), strict=True))
    assert (shown["flips"], shown["rotation"], shown["stain"]) == ("", "90", "0.2")
    assert arrays["augmented"].shape == (len(strengths), gallery.SHOWN, 96, 96, 3)
    assert arrays["augmented"].dtype == np.uint8
    changes = np.abs(arrays["augmented"] - arrays["patch"].astype(float)).mean(axis=(2, 3, 4))
    assert (changes[:, -1] > 1).all()
    assert (np.diff(changes) >= -0.5).all(), "from the least to the most changed"


def test_patches_of_middling_and_of_high_contrast_are_shown(write, patches):
    arrays = write({"flips": True})
    order = patches[np.argsort(patches.std(axis=(1, 2, 3)), kind="stable")]
    assert np.array_equal(arrays["patch"], order[24])
    assert np.array_equal(arrays["partner"], order[43])


def test_it_is_the_operation_itself_that_is_shown(write):
    """Each picture is the patch at one of the qualities that are drawn."""
    arrays = write({"jpeg": 70})
    qualities = jpeg.draw(2 * gallery.DRAWS, 70, after_geometry(2 * gallery.DRAWS))[: gallery.DRAWS]
    images = (
        torch.from_numpy(arrays["patch"]).permute(2, 0, 1)[None].float().expand(gallery.DRAWS, -1, -1, -1)
    )
    possible = jpeg.apply(images, qualities).permute(0, 2, 3, 1).round().numpy()
    for found in arrays["augmented"][0]:
        assert np.abs(possible - found).max(axis=(1, 2, 3)).min() <= 1


def after_geometry(count: int) -> torch.Generator:
    generator = torch.Generator().manual_seed(0)
    torch.rand(count, generator=generator)
    torch.randint(0, 2, (count, 2), generator=generator)
    return generator


def test_a_patch_is_mixed_with_the_partner_only(write):
    arrays = write({"cutmix": 1.0})
    of_patch, of_partner = (
        (arrays["augmented"][0] == arrays[name]).all(axis=-1) for name in ("patch", "partner")
    )
    assert (of_patch | of_partner).all()
    assert not of_patch[-1].all()


def test_patches_from_dark_to_bright_are_given_the_stain_of_them_all(write):
    arrays = write({"flips": True}, methods=["macenko", "reinhard"])
    stained, normalised = arrays["stained"], arrays["normalised"]
    assert arrays["method"].tolist() == ["macenko", "reinhard"]
    assert stained.shape == (gallery.SHOWN, 96, 96, 3)
    assert normalised.shape == (2, gallery.SHOWN, 96, 96, 3)
    brightness = stained.mean(axis=(1, 2, 3))
    assert (np.diff(brightness) > 0).all()
    colours = [images.mean(axis=(1, 2)).std(axis=0).mean() for images in (stained, normalised[1])]
    assert colours[1] < colours[0] / 4  # Reinhard's are alike
    assert (np.abs(normalised.astype(float) - stained).mean(axis=(1, 2, 3, 4)) > 2).all()


def test_patches_without_stain_are_shown_as_they_are(write):
    arrays = write({"flips": True}, pixels=np.full((9, 32, 32, 3), 255, np.uint8))
    assert (arrays["normalised"] == 255).all()
