"""How one network comes to its predictions: evidence by Grad-CAM, and logits of occluded patches."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.interpretability.centre import centre_shares
from histopatch.interpretability.grad_cam import evidence_maps
from histopatch.interpretability.occlusion import without_border, without_centre

MAP_SIZE = 96  # height and width in pixels that maps are resized to


class Explanation(NamedTuple):
    """What explains the predictions for N patches."""

    maps: np.ndarray  # N×MAP_SIZE×MAP_SIZE, float32: the evidence for the predicted class at each place
    centre_share: np.ndarray  # N: of that evidence; NaN where there is none
    logits: np.ndarray  # N×3, float32: of the patch, without its centre, without its border


def explain(
    network: Network, patches: Patches, rows: np.ndarray, positive: np.ndarray, batch_size: int
) -> Explanation:
    """Explain the predictions for N rows of a pack, `batch_size` at a time.

    positive: N booleans, whether the predicted class is label 1.
    """
    network.model.eval()
    parts = []
    classes = torch.from_numpy(positive).to(patches.device).split(batch_size)
    for pixels, predicted in zip(patches.batches(torch.from_numpy(rows), batch_size), classes, strict=True):
        evidence = evidence_maps(network, pixels, predicted)
        with torch.inference_mode():
            versions = (pixels, without_centre(pixels), without_border(pixels))
            logits = torch.stack([network.logits(version) for version in versions], dim=1)
            maps = F.interpolate(evidence[:, None], (MAP_SIZE, MAP_SIZE), mode="bilinear").squeeze(1)
        shares = centre_shares(evidence.cpu().numpy(), patches.size)
        parts.append((maps.cpu().numpy(), shares, logits.cpu().numpy()))
    return Explanation(*map(np.concatenate, zip(*parts, strict=True)))
