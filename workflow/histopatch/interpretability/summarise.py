"""Where a model looks, in numbers: one by its gradients, one by occlusion."""

import numpy as np
import pandas as pd

from histopatch.data.centre import centre
from histopatch.evaluation.predictions import Predictions
from histopatch.interpretability.shares import area_share
from histopatch.statistics.means import mean_by_unit

CLASSES = {"negative": 0, "positive": 1}


def summarise(table: pd.DataFrame, predictions: Predictions, patch_size: int) -> dict:
    """Means over the N patches of a table of attributions, as plain values.

    table: `label`, `centre_share`, `logit`, `logit_without_centre`, `logit_without_border`; predictions: of
    the same patches, with their slides; patch_size: in pixels.

    - `area_share`: the centre's share of the area, the chance level of the next two, which are means over
      `all` patches and over those of each class.
    - `grad_cam`: the share of the evidence for the predicted class that is in the centre, over patches for
      which it is known.
    - `occlusion`: C / (C + B), where C is the absolute change of the logit without the centre and B that
      without the border. Each patch counts in proportion to its C + B, so the mean is that of C over that
      of C + B. The means of C and B are `change_without_centre` and `change_without_border`.

    Each has a `mean`, the standard deviation over the patches (`sd`), a 95 % interval for independent units
    (`low`, `high`, None where it has no end) and the number of `patches`, and is None for fewer than two.
    """
    middle = centre(patch_size)
    without_centre, without_border = (
        (table[f"logit_without_{part}"] - table.logit).abs().to_numpy() for part in ("centre", "border")
    )
    both = without_centre + without_border
    share = np.divide(without_centre, both, out=np.full(len(both), np.nan), where=both > 0)
    subsets = {"all": np.ones(len(table), bool)}
    subsets |= {name: (table.label == label).to_numpy() for name, label in CLASSES.items()}
    return {
        "patches": len(table),
        "positive": int(table.label.sum()),
        "patch_size": patch_size,
        "centre_size": middle.stop - middle.start,
        "area_share": area_share(patch_size),
        "interval": f"by {'patch' if predictions.units is None else predictions.unit}",
        "grad_cam": {
            name: _mean(table.centre_share.to_numpy(), predictions, among, highest=1)
            for name, among in subsets.items()
        },
        "occlusion": {
            name: _mean(share, predictions, among, weights=both, highest=1) for name, among in subsets.items()
        },
        "change_without_centre": _mean(without_centre, predictions, subsets["all"]),
        "change_without_border": _mean(without_border, predictions, subsets["all"]),
    }


def _mean(
    values: np.ndarray,
    predictions: Predictions,
    among: np.ndarray,
    weights: np.ndarray | None = None,
    highest: float = np.inf,
) -> dict | None:
    """The mean of those of N values that are there and `among` (N booleans); highest: what none is above."""
    among = among & np.isfinite(values)
    if among.sum() < 2:
        return None
    chosen = None if weights is None else weights[among]
    found = mean_by_unit(values[among], predictions.subset(among).units, chosen)
    high = min(found.high, highest)
    return {
        "mean": found.mean,
        "sd": found.sd,
        "low": max(found.low, 0.0),
        "high": high if np.isfinite(high) else None,
        "patches": int(among.sum()),
    }
