"""A data set's patches under each augmentation and stain normalisation, by the code that trains with them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from histopatch.augmentation.draws import draw
from histopatch.augmentation.prepare import prepare
from histopatch.data.pixels import Pixels
from histopatch.errors import InputError
from histopatch.files import read_table, replacing
from histopatch.stain.normaliser import fit

DRAWS = 24  # of each augmentation
SHOWN = 5  # of them, from the one that changes the patch least to the one that changes it most
STAINED = 10 * SHOWN  # patches that the stain of the data set is measured on; every tenth is shown
UNCHANGED = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # mean and standard deviation that leave values in [0, 1]


def gallery(
    pack: str, index: str, strengths: Mapping[str, bool | float], methods: Sequence[str], path: str
) -> None:
    """Write what each augmentation makes of a patch, and each normalisation of several, by name (.npz).

    pack: uint8 array N×H×W×3 (.npy); index: table `row,mean,std` of the pack; strengths: by augmentation;
    methods: of stain normalisation. The arrays, all uint8 but for `augmentation`, `strength` and `method`,
    which are texts: `patch` and `partner` (H×W×3), which is what it is mixed with; `augmented`
    (augmentation×SHOWN×H×W×3); `stained` (SHOWN×H×W×3) and `normalised` (method×SHOWN×H×W×3).
    """
    pixels, images = Pixels(pack), read_table(index, ["row", "mean", "std"])
    patch, partner = torch.tensor(pixels[choose_patches(images)])
    stained = torch.tensor(pixels[choose_stains(images)])
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            patch=patch,
            partner=partner,
            augmentation=list(strengths),
            strength=["" if strength is True else f"{strength:g}" for strength in strengths.values()],
            augmented=torch.stack([augment(patch, partner, {name: strengths[name]}) for name in strengths]),
            stained=stained[5::10],
            method=list(methods),
            normalised=torch.stack([normalise(stained, method)[5::10] for method in methods]),
        )


def choose_patches(images: pd.DataFrame) -> list[int]:
    """Rows of a patch of middling contrast and of one of high contrast, from a table `row,std`."""
    order = images.sort_values(["std", "row"]).row.to_numpy()
    return [order[len(order) // 2], order[9 * len(order) // 10]]


def choose_stains(images: pd.DataFrame) -> np.ndarray:
    """Rows of patches from dark to bright, from a table `row,mean`."""
    order = images.sort_values(["mean", "row"]).row.to_numpy()
    return order[np.linspace(0, len(order) - 1, STAINED).round().astype(int)]


def augment(patch: Tensor, partner: Tensor, augmentation: Mapping[str, bool | float]) -> Tensor:
    """Augment uint8 H×W×3 pixels in many ways, of which SHOWN are returned: uint8 SHOWN×H×W×3."""
    # Each patch is mixed with the one half a batch away.
    pixels = torch.stack([patch] * DRAWS + [partner] * DRAWS)
    draws = draw(len(pixels), augmentation, torch.Generator().manual_seed(0))
    pixels, _ = draws.mix(pixels, torch.zeros(len(pixels)))
    images = _pixels(prepare(pixels[:DRAWS], pixels.shape[1], *UNCHANGED, draws[:DRAWS]))
    order = (images.float() - patch).abs().mean(dim=(1, 2, 3)).argsort()
    return images[order[torch.linspace(0, DRAWS - 1, SHOWN).round().long()]]


def normalise(pixels: Tensor, method: str) -> Tensor:
    """Give uint8 N×H×W×3 patches the stain that they have in the median, where they have any."""
    try:
        normaliser = fit(method, pixels.split(SHOWN))
    except InputError:
        return pixels
    batches = pixels.split(SHOWN)
    return torch.cat([_pixels(prepare(b, b.shape[1], *UNCHANGED, normaliser=normaliser)) for b in batches])


def _pixels(images: Tensor) -> Tensor:
    """float32 N×3×H×W in [0, 1] to uint8 N×H×W×3."""
    return (255 * images.permute(0, 2, 3, 1)).round().clamp(0, 255).to(torch.uint8)
