"""One patch of a data set under each augmentation, made by the code that augments in training."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from histopatch.augmentation.draws import draw
from histopatch.augmentation.prepare import prepare
from histopatch.files import read_table, replacing

DRAWS = 24  # of each augmentation
SHOWN = 5  # of them, from the one that changes the patch least to the one that changes it most
UNCHANGED = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # mean and standard deviation that leave values in [0, 1]


def gallery(pack: str, index: str, strengths: Mapping[str, bool | float], path: str) -> None:
    """Write one patch, another one, and what each augmentation makes of the first, as arrays by name (.npz).

    pack: uint8 array N×H×W×3 (.npy); index: CSV `row,std` of the pack; strengths: by augmentation.
    The arrays: `patch` and `partner` (H×W×3), which is what it is mixed with, and `augmented`
    (augmentation×SHOWN×H×W×3), all uint8, in the order of `augmentation` and `strength`, which are texts.
    """
    pixels = np.load(pack, mmap_mode="r")
    patch, partner = (torch.tensor(pixels[row]) for row in choose_patches(read_table(index)))
    augmented = [augment(patch, partner, {name: strength}) for name, strength in strengths.items()]
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            patch=patch,
            partner=partner,
            augmentation=list(strengths),
            strength=["" if strength is True else f"{strength:g}" for strength in strengths.values()],
            augmented=torch.stack(augmented),
        )


def choose_patches(index: pd.DataFrame) -> tuple[int, int]:
    """Rows of a patch of middling contrast and of one of high contrast, from a table `row,std`."""
    order = index.sort_values(["std", "row"]).row.to_numpy()
    return order[len(order) // 2], order[9 * len(order) // 10]


def augment(patch: Tensor, partner: Tensor, augmentation: Mapping[str, bool | float]) -> Tensor:
    """Augment uint8 H×W×3 pixels in many ways, of which SHOWN are returned: uint8 SHOWN×H×W×3."""
    # In turn, so that whatever is mixed with a neighbour is mixed with the partner.
    pixels = torch.stack([patch, partner] * DRAWS)
    draws = draw(len(pixels), augmentation, torch.Generator().manual_seed(0))
    pixels, _ = draws.mix(pixels, torch.zeros(len(pixels)))
    images = prepare(pixels[::2], pixels.shape[1], *UNCHANGED, draws[::2])
    images = 255 * images.permute(0, 2, 3, 1)
    order = (images - patch).abs().mean(dim=(1, 2, 3)).argsort()
    shown = order[torch.linspace(0, DRAWS - 1, SHOWN).round().long()]
    return images[shown].round().clamp(0, 255).to(torch.uint8)
