import numpy as np
from PIL import Image

from histopatch.slides import thumbnail as module
from histopatch.slides.slide import open_slide
from histopatch.slides.thumbnail import thumbnail, tissue_mask


def test_a_thumbnail_shows_the_whole_slide(pyramid, mosaic, monkeypatch):
    monkeypatch.setattr(module, "SIDE", 96)
    monkeypatch.setattr(module, "BLOCK", 100)  # of which it takes several
    with open_slide(pyramid(mosaic)) as slide:
        small = thumbnail(slide)
    wanted = np.asarray(Image.fromarray(mosaic).resize((96, 72), Image.Resampling.BICUBIC))
    assert small.shape == wanted.shape
    assert np.abs(small.astype(int) - wanted).max() <= 1


def test_tissue_is_told_from_glass_ink_and_what_was_not_scanned(patches):
    picture = np.full((300, 300, 3), 238, np.uint8)
    picture[:96, :96] = patches[1]
    picture[200:, 200:] = 5  # ink
    picture[200:, :50] = 255  # not scanned
    mask = tissue_mask(picture)
    assert mask[:96, :96].mean() > 0.5
    mask[:96, :96] = False
    assert mask.mean() < 0.001


def test_dim_glass_is_glass_and_a_slide_full_of_tissue_is_tissue(mosaic):
    assert not tissue_mask(np.full((100, 100, 3), 222, np.uint8)).any()
    assert tissue_mask(mosaic).mean() > 0.8


def test_the_tissue_of_a_real_slide(aperio):
    with open_slide(aperio) as slide:
        mask = tissue_mask(thumbnail(slide))
    height, width = mask.shape
    assert 0.2 < mask.mean() < 0.45
    assert mask[height // 2 : height // 2 + 100, width // 2 - 50 : width // 2].mean() > 0.7
    assert mask[: height // 8, width // 4 : width // 3].mean() < 0.02
