"""The AUROC of each slide, patient or fold."""

import pandas as pd

from histopatch.data.units import called
from histopatch.evaluation.predictions import Predictions
from histopatch.statistics.auroc import delong

COLUMNS = ["part", "kind", "group", "patches", "positive", "auc", "auc_low", "auc_high"]


def auc_by_group(validation: Predictions, held_out: Predictions | None) -> pd.DataFrame:
    """One row per slide of each part; if slides are unknown per patient, or per fold and one held out.

    Columns: `part` (held out, which comes first, or validation), `kind` (slide, patient, fold or part),
    `group`, `patches`, `positive`, and `auc` with DeLong's 95 % interval as `auc_low` and `auc_high`, empty
    if a group has one class only. Groups of one patch are left out, as they have no AUROC, and so are patches
    without a slide.
    """
    parts = ({} if held_out is None else {"held out": held_out}) | {"validation": validation}
    rows = []
    for part, predictions in parts.items():
        if predictions.slides is not None:
            kind, groups = "slide", called(pd.Series(predictions.slides))
        elif predictions.patients is not None:
            kind, groups = "patient", called(pd.Series(predictions.patients))
        elif part == "validation":
            kind, groups = "fold", predictions.folds
        else:
            kind, groups = "part", "all patches"
        patches = {"label": predictions.labels, "probability": predictions.probabilities, "group": groups}
        for group, members in pd.DataFrame(patches).groupby("group"):
            if group != "" and len(members) > 1:
                labels = members.label
                both = 0 < labels.sum() < len(labels)
                interval = delong(labels, members.probability) if both else (None, None, None)
                rows.append((part, kind, group, len(labels), labels.sum(), *interval))
    return pd.DataFrame(rows, columns=COLUMNS)
