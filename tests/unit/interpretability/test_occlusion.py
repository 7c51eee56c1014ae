import torch

from histopatch.interpretability.occlusion import without_border, without_centre


def patches() -> torch.Tensor:
    return torch.randint(
        0, 256, (3, 96, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


def test_each_patch_has_its_own_mean_colour_in_place_of_what_is_hidden():
    pixels = patches()
    centre = torch.zeros(96, 96, dtype=torch.bool)
    centre[32:64, 32:64] = True
    for occlude, hidden in ((without_centre, centre), (without_border, ~centre)):
        occluded = occlude(pixels)
        assert occluded.dtype == torch.uint8
        assert torch.equal(occluded[:, ~hidden], pixels[:, ~hidden])
        for before, after in zip(pixels, occluded, strict=True):
            colour = before.double().mean(dim=(0, 1)).round().to(torch.uint8)
            assert (after[hidden] == colour).all()
    assert torch.equal(pixels, patches())  # not changed in place
