"""Logits of probabilities: finite for 0 and 1, too."""

import numpy as np
from scipy.special import logit

# In single precision no probability below 1 is closer to 1 than this.
CLIP = 2.0**-24


def clipped_logits(probabilities: np.ndarray) -> np.ndarray:
    """log(p / (1 − p)) of probabilities of any shape, clipped to 2⁻²⁴ from 0 and 1."""
    return logit(np.clip(probabilities, CLIP, 1 - CLIP))
