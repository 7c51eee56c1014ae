import numpy as np
import pytest
import torch

from histopatch.stain.reinhard import apply, measure

# As published (2001), the second matrix with its scales multiplied out.
CONES = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
LAB = np.diag([1 / np.sqrt(3), 1 / np.sqrt(6), 1 / np.sqrt(2)]) @ [[1, 1, 1], [1, 1, -2], [1, -1, 0]]


def slowly(patch: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The method on one patch, H×W×3; reference: means and standard deviations in lαβ."""
    lab = np.log((patch.reshape(-1, 3) + 1.0) @ CONES.T) @ LAB.T
    matched = (lab - lab.mean(0)) / lab.std(0, ddof=1) * reference[1] + reference[0]
    colours = np.exp(matched @ np.linalg.inv(LAB).T) @ np.linalg.inv(CONES).T - 1
    return colours.clip(0, 255).reshape(patch.shape)


def as_images(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


def test_each_patch_gets_the_reference_as_published(patches):
    measured, usable = measure(as_images(patches))
    assert usable.all()
    reference = measured[3]
    changed = apply(as_images(patches[:8]), reference).permute(0, 2, 3, 1).numpy()
    for before, after in zip(patches, changed, strict=False):
        assert after == pytest.approx(slowly(before, reference.double().numpy()), abs=0.05)
    assert changed[3] == pytest.approx(patches[3], abs=0.05)
    assert np.abs(changed[0] - patches[0]).mean() > 2


def test_afterwards_the_statistics_are_those_of_the_reference(patches):
    reference = measure(as_images(patches[3:4]))[0][0]
    found, _ = measure(apply(as_images(patches[:8]), reference))
    assert torch.allclose(found, reference.expand_as(found), atol=0.1)  # but for what is clipped


@pytest.mark.parametrize("value", [0, 120, 255])
def test_a_patch_without_tissue_or_structure_stays_as_it_is(patches, value):
    images = torch.cat([torch.full((1, 3, 96, 96), float(value)), as_images(patches[:1])])
    measured, usable = measure(images)
    assert usable.tolist() == [False, True]
    changed = apply(images, 1.1 * measured[1])
    assert changed.isfinite().all()
    assert torch.equal(changed[0], images[0])
    assert not torch.allclose(changed[1], images[1], atol=1)
