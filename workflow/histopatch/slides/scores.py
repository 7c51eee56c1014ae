"""One number for a slide from the probabilities of its tiles, and how well such numbers tell slides apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.statistics.auroc import delong

SCORES = ("max", "mean_top_k", "share_above")
AUROCS = ["score", "slides", "positive", "auc", "auc_low", "auc_high"]


def slide_scores(probabilities: np.ndarray, k: int, threshold: float) -> dict[str, float | None]:
    """SCORES of N tiles: the highest probability, the mean of the k highest, the share from a threshold on.

    Of fewer than k tiles all count. None of each without tiles.
    """
    if not len(probabilities):
        return dict.fromkeys(SCORES)
    highest = np.sort(probabilities)[::-1][:k]
    values = (highest[0], highest.mean(), (probabilities >= threshold).mean())
    return dict(zip(SCORES, map(float, values), strict=True))


def score_aurocs(labels: Sequence[int], scores: pd.DataFrame) -> pd.DataFrame:
    """The AUROC of each of SCORES as a test of the slide's label, with DeLong's 95 % interval.

    labels: 0 or 1 of N slides, both present; scores: N rows with SCORES. Returns a table of AUROCS. Slides
    are taken to be independent, which those of one patient are not.
    """
    labels = np.asarray(labels)
    rows = [
        {"score": name, "slides": len(labels), "positive": int(labels.sum())}
        | dict(zip(AUROCS[3:], delong(labels, scores[name].to_numpy(float)), strict=True))
        for name in SCORES
    ]
    return pd.DataFrame(rows)
