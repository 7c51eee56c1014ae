"""Grad-CAM: which places of a patch speak for the class that a network predicts.

Selvaraju et al., ICCV 2017, by Captum.
"""

import torch
from captum.attr import LayerGradCam
from torch import Tensor

from histopatch.engine.network import Network
from histopatch.interpretability.feature_maps import feature_maps


def evidence_maps(network: Network, pixels: Tensor, positive: Tensor) -> Tensor:
    """What speaks for a class at each place: N×h×w, not negative, of the size of the explained feature maps.

    The feature maps of the backbone's explained layer are weighted by their mean gradients and added up;
    where the sum is negative, which speaks against the class, the map is 0. The network must be in evaluation
    mode.

    pixels: uint8 N×H×W×3 on the device; positive: N booleans there, whether the class is label 1, for which
    the logit counts, or label 0, for which its negative does.
    """
    with feature_maps(network.model) as layer:
        maps = LayerGradCam(network.logits, layer).attribute(pixels).detach().squeeze(1)
    return torch.where(positive[:, None, None], maps, -maps).clamp(min=0)
