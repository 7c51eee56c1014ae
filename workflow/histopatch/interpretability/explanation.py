"""How one network comes to its predictions: evidence by Grad-CAM, and logits of occluded patches."""

import logging
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.errors import InputError
from histopatch.interpretability.grad_cam import evidence_maps
from histopatch.interpretability.occlusion import without_border, without_centre
from histopatch.interpretability.shares import centre_shares

MAP_SIZE = 96  # height and width in pixels that maps are resized to


class Explanation(NamedTuple):
    """What explains the predictions for N patches."""

    maps: np.ndarray  # N×MAP_SIZE×MAP_SIZE, float32: the evidence for the class that the network predicts
    centre_share: np.ndarray  # N: of that evidence; NaN where that is not known
    logits: np.ndarray  # N×3, float32: of the patch, without its centre, without its border


def explain(network: Network, patches: Patches, rows: np.ndarray, batch_size: int) -> Explanation:
    """Explain the predictions for N rows of a pack, `batch_size` at a time."""
    network.model.eval()
    parts = []
    for pixels in patches.batches(torch.from_numpy(rows), batch_size):
        with torch.no_grad():
            versions = (pixels, without_centre(pixels), without_border(pixels))
            logits = torch.stack([network.logits(version) for version in versions], dim=1)
        evidence = _evidence(network, pixels, positive=logits[:, 0] > 0)
        maps = F.interpolate(evidence[:, None], (MAP_SIZE, MAP_SIZE), mode="bilinear").squeeze(1)
        shares = centre_shares(evidence.cpu().numpy(), patches.size)
        parts.append((maps.cpu().numpy(), shares, logits.cpu().numpy()))
    return Explanation(*map(np.concatenate, zip(*parts, strict=True)))


def _evidence(network: Network, pixels: Tensor, positive: Tensor) -> Tensor:
    """As `evidence_maps`, and none at all where the network has no feature maps: a warning, not an end."""
    try:
        return evidence_maps(network, pixels, positive)
    except InputError as error:
        logging.warning("no Grad-CAM: %s", error)
        return torch.zeros(len(pixels), 1, 1, device=pixels.device)
