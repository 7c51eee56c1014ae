"""Mixup: each patch and its target averaged with another patch and its target.

Zhang, Cisse, Dauphin & Lopez-Paz, ICLR 2018. Centres are averaged with centres, in the proportion of the
targets, so it holds for labels that are about the centre only.
"""

import numpy as np
import torch
from torch import Tensor


def draw(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """The share of each patch itself (count), of the distribution Beta(strength, strength)."""
    # PyTorch draws from it with its global random state only.
    seed = torch.randint(2**31, (), generator=generator).item()
    shares = np.random.default_rng(seed).beta(strength, strength, count)
    return torch.from_numpy(shares.astype(np.float32))


def apply(pixels: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Mix each of uint8 N×H×W×3 patches, and of N targets, with the one half a batch away by `drawn` (N)."""
    away = len(pixels) // 2
    mixed = torch.lerp(pixels.roll(away, 0).float(), pixels.float(), drawn[:, None, None, None])
    return mixed.round_().to(torch.uint8), torch.lerp(targets.roll(away), targets, drawn)
