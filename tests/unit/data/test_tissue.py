import numpy as np
import pytest

from histopatch.data import tissue
from histopatch.data.tissue import CENTRE, SIZE, draw_slide

SEED = 8


@pytest.fixture(scope="module")
def slide_colours() -> np.ndarray:
    """Mean colour (slides, patches, 3) of each patch: the share of R, G and B in its OD."""
    slides = [draw_slide(generator(k)) for k in range(14)]
    patches = [
        [tissue.draw_patch(generator(k, i), slide, i % 2) for i in range(6)] for k, slide in enumerate(slides)
    ]
    density = -np.log((np.array(patches) + 1.0) / 256).mean(axis=(2, 3))
    return density / density.sum(axis=-1, keepdims=True)


def generator(*key: int) -> np.random.Generator:
    return np.random.default_rng([SEED, *key])


def tumour_masks(label: int, count: int = 60) -> list[np.ndarray]:
    slides = [draw_slide(generator(k)) for k in range(6)]
    return [tissue.compose_tissue(generator(label, i), slides[i % 6], label)[1] for i in range(count)]


def test_positives_have_tumour_in_the_centre():
    assert all(mask[CENTRE, CENTRE].any() for mask in tumour_masks(label=1))


def test_negatives_have_tumour_outside_the_centre_or_nowhere():
    masks = tumour_masks(label=0)
    assert not any(mask[CENTRE, CENTRE].any() for mask in masks)
    hard = np.mean([mask.any() for mask in masks])
    assert 0.2 < hard < 0.5


def test_the_tumour_mask_shows_in_the_picture():
    """Tumour nuclei are blue-purple: red is absorbed more than in the tissue around them."""
    slide = draw_slide(generator(0))
    for i in range(10):
        rng = generator(1, i)
        concentrations, mask = tissue.compose_tissue(rng, slide, 1)
        patch = tissue.render(rng, slide, concentrations)
        assert np.array_equal(patch, tissue.draw_patch(generator(1, i), slide, 1))
        nearby = concentrations[..., 0] < 0.4  # no nucleus
        assert patch[mask][:, 0].mean() < 0.8 * patch[nearby & ~mask][:, 0].mean()


def test_tumour_nuclei_are_larger_than_normal_nuclei():
    areas = {"tumour": [], "normal": []}
    everywhere = np.ones((SIZE, SIZE), np.float32)
    for k in range(20):
        rng = generator(k)
        slide = draw_slide(rng)
        tumour = tissue.place_tumour(rng, slide, label=1)
        normal = tissue.place_normal(rng, slide, everywhere, fibre_angle=0.0)
        areas["tumour"].append(np.median(tumour.minor * tumour.major))
        areas["normal"].append(np.median(normal.minor * normal.major))
    assert np.mean(areas["tumour"]) > 1.5 * np.mean(areas["normal"])


def test_slides_differ_in_colour_more_than_their_patches(slide_colours):
    between = slide_colours.mean(axis=1).var(axis=0).sum()
    within = slide_colours.var(axis=1).mean(axis=0).sum()
    assert between > within


def test_prevalence_varies_between_slides():
    prevalence = np.array([draw_slide(generator(k)).prevalence for k in range(200)])
    assert prevalence.min() >= 0.03 and prevalence.max() <= 0.93
    assert prevalence.mean() == pytest.approx(0.03 + 0.9 * 0.5 / 1.3, abs=0.06)
    # Many slides have next to no tumour, and many have plenty.
    assert (prevalence < 0.1).mean() > 0.2
    assert (prevalence > 0.7).mean() > 0.1
