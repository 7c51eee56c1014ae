"""The final model as one graph from raw patches to probabilities, to be exported as ONNX.

It computes what `inference.Model` does with PyTorch, in operations that ONNX has: an antialiased resize is
two products of matrices, since it is linear and goes along rows and columns separately.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from histopatch.augmentation.geometry import resize
from histopatch.engine.network import Network, symmetries
from histopatch.statistics.ensembles import rank_curve
from histopatch.statistics.logits import CLIP
from histopatch.statistics.recalibration import Recalibration


class ModelGraph(nn.Module):
    """uint8 N×S×S×3 patches to `probability` (N), `recalibrated` (N; not of mean ranks) and `logits` (K×N).

    All float32, of K networks that compute in float32; a network's logit is its mean over symmetries.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        patch_size: int,
        average: str,
        recalibration: Recalibration | None,
        references: Sequence[np.ndarray] = (),
    ):
        """average and references: as of `statistics.ensembles.average`."""
        super().__init__()
        self.networks = nn.ModuleList(_NetworkGraph(network, patch_size) for network in networks)
        self.average, self.recalibration = average, recalibration
        self.ranks = nn.ModuleList(_Rank(reference) for reference in references)

    @property
    def outputs(self) -> list[str]:
        return ["probability", *(["recalibrated"] if self.recalibration else []), "logits"]

    def forward(self, patches: Tensor) -> tuple[Tensor, ...]:
        logits = torch.stack([network(patches) for network in self.networks])
        if self.average == "rank":
            ranks = [rank(own) for rank, own in zip(self.ranks, logits, strict=True)]
            return torch.stack(ranks).mean(0).float(), logits
        logit = self._averaged_logit(logits)
        intercept, slope = self.recalibration
        return logit.sigmoid(), (intercept + slope * logit).sigmoid(), logits

    def _averaged_logit(self, logits: Tensor) -> Tensor:
        """The logit of the averaged probability (N), which keeps what single precision loses close to 1."""
        if self.average == "logit":
            farthest = float(np.log((1 - CLIP) / CLIP))
            return logits.clamp(-farthest, farthest).mean(0)
        return logits.sigmoid().mean(0).log() - (-logits).sigmoid().mean(0).log()


class _NetworkGraph(nn.Module):
    """Patches to the logits (N) of one network."""

    def __init__(self, network: Network, patch_size: int):
        super().__init__()
        self.model, self.normaliser, self.symmetries = network.model, network.normaliser, network.symmetries
        backbone = network.model.backbone
        mean, std = (torch.tensor(values)[:, None, None] for values in (backbone.mean, backbone.std))
        self.register_buffer("scale", 1 / (255 * std))
        self.register_buffer("shift", -mean / std)
        self.register_buffer("rows", _resize_rows(patch_size, network.image_size))

    def forward(self, patches: Tensor) -> Tensor:
        views = symmetries(patches) if self.symmetries else [patches]
        images = torch.cat(views).permute(0, 3, 1, 2).float()
        if self.normaliser is not None:
            images = self.normaliser(images)
        images = images * self.scale + self.shift
        if self.rows is not None:
            images = self.rows @ images @ self.rows.T
        return self.model(images).view(len(views), -1).mean(0)


def _resize_rows(size: int, target: int) -> Tensor | None:
    """What resizes the columns of an image from `size` to `target` pixels (target×size), or None."""
    if size == target:
        return None
    # One image for each row of pixels, which is 1 there and 0 elsewhere. Across, they stay constant.
    impulses = torch.eye(size)[:, None, :, None].expand(size, 1, size, size)
    return resize(impulses, target)[:, 0].mean(2).T.contiguous()


class _Rank(nn.Module):
    """Logits (N) to ranks among a reference (N float64), as `statistics.ensembles.rank`."""

    def __init__(self, reference: np.ndarray):
        super().__init__()
        knots, ranks = rank_curve(reference)
        self.register_buffer("knots", torch.from_numpy(knots))
        self.register_buffer("values", torch.from_numpy(ranks))
        self.register_buffer("slopes", torch.from_numpy(np.diff(ranks) / np.diff(knots)))

    def forward(self, logits: Tensor) -> Tensor:
        probabilities = logits.double().sigmoid()
        below = (self.knots[1:-1] <= probabilities[:, None]).sum(1)  # which is a knot's place, from 0
        return self.values[below] + self.slopes[below] * (probabilities - self.knots[below])
