import json

import pytest
import torch

from histopatch import components
from histopatch.errors import InputError
from histopatch.stain.normaliser import SAMPLE, Normaliser, draw_sample, fit, rebuild

METHODS = ["macenko", "reinhard"]


@pytest.mark.parametrize("method", METHODS)
def test_the_reference_is_the_median_over_patches_with_tissue(patches, method):
    pixels = torch.from_numpy(patches)
    blank = torch.full_like(pixels[:3], 255)
    fitted = fit(method, [*pixels.split(10), blank])
    stains, usable = components.load(f"stain.{method}").measure(pixels.permute(0, 3, 1, 2).float())
    assert torch.equal(fitted.reference, stains[usable].median(0).values)
    assert usable.sum() > 20


@pytest.mark.parametrize("method", METHODS)
def test_a_description_as_json_is_all_that_it_takes(patches, method):
    images = torch.from_numpy(patches[:4]).permute(0, 3, 1, 2).float()
    fitted = fit(method, [torch.from_numpy(patches)])
    again = rebuild(json.loads(json.dumps(fitted.description())), torch.device("cpu"))
    assert torch.equal(again(images), fitted(images))
    assert not torch.allclose(fitted(images), images, atol=1)


@pytest.mark.input(
    "Training", "No training patch with tissue, and `stain_normalisation`", "one line; nothing is trained"
)
@pytest.mark.parametrize("method", METHODS)
def test_blank_patches_are_no_reference(method):
    with pytest.raises(InputError, match=rf"^stain_normalisation: no training patch has tissue .* {method}"):
        fit(method, [torch.full((3, 32, 32, 3), 255, dtype=torch.uint8)])


def test_a_sample_is_bounded_drawn_by_the_seed_and_in_order():
    rows = torch.randperm(5000, generator=torch.Generator().manual_seed(1)) + 7
    sample = draw_sample(rows, 0)
    assert len(sample) == len(sample.unique()) == SAMPLE
    assert torch.equal(sample, sample.sort().values)
    assert torch.isin(sample, rows).all()
    assert torch.equal(sample, draw_sample(rows, 0))
    assert not torch.equal(sample, draw_sample(rows, 1))
    assert torch.equal(draw_sample(rows[:9], 0), rows[:9].sort().values)


def test_a_normaliser_is_called_with_images():
    assert callable(Normaliser("reinhard", torch.zeros(2, 3)))
