"""The AUROC of each slide or fold by itself."""

import pandas as pd

from histopatch.evaluation.predictions import Kept
from histopatch.statistics.auroc import delong


def auc_by_group(validation: Kept, held_out: Kept | None) -> pd.DataFrame:
    """A row for each slide of either part, or for each fold and for the held-out part as a whole.

    Columns: `part` (validation or held out), `kind` (slide, fold or part), `group`, `patches`, `positive`,
    and `auc` with DeLong's 95 % interval as `auc_low` and `auc_high`, empty where a group has one class only.
    Patches that are a slide of their own are left out: one patch has no AUROC.
    """
    parts = {"validation": validation} | ({} if held_out is None else {"held out": held_out})
    rows = []
    for part, kept in parts.items():
        kind, groups = ("slide", kept.slides) if kept.slides is not None else ("fold", kept.folds)
        if kept is held_out and kind == "fold":
            kind, groups = "part", ["all patches"] * len(kept.ids)
        table = pd.DataFrame({"label": kept.labels, "probability": kept.probabilities, "group": groups})
        for group, patches in table.groupby("group"):
            if len(patches) > 1:
                labels = patches.label
                both = 0 < labels.sum() < len(labels)
                interval = delong(labels, patches.probability) if both else (None, None, None)
                row = {"part": part, "kind": kind, "group": group}
                row |= {"patches": len(labels), "positive": labels.sum()}
                rows.append(row | dict(zip(("auc", "auc_low", "auc_high"), interval, strict=True)))
    columns = ["part", "kind", "group", "patches", "positive", "auc", "auc_low", "auc_high"]
    return pd.DataFrame(rows, columns=columns)
