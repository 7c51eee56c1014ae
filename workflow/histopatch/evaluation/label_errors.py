"""Patches whose label is probably wrong, ranked for somebody to look at. None is removed or changed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.evaluation.ensemble import read_held_out, read_validation
from histopatch.evaluation.predictions import Predictions, ids_at, known_patches
from histopatch.failures import check_final
from histopatch.files import write_table
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.label_errors import self_confidence, suspect_labels

COLUMNS = ["rank", "id", "label", "probability", "slide", "part"]


def label_errors_table(
    predictions: Sequence[str], held_out: str | None, ensemble: Ensemble, split_table: str, table: str
) -> None:
    """Write the patches with suspect labels, COLUMNS, the most suspicious first.

    predictions: those of the final model's folds on the validation patches, one run after the other;
    held_out: those on the held-out patches, or None; ensemble: how its runs are averaged; split_table: knows
    the slides. `probability` is that of label 1, `part` is `validation` or `held out`. Patches that only
    train have no prediction that is not of their own training, so they are not judged. Raises InputError if
    the final training failed.
    """
    check_final(predictions)
    with known_patches(split_table) as patches:
        parts = {"validation": read_validation(predictions, ensemble, patches).together}
        if held_out:
            parts["held out"] = read_held_out(held_out, ensemble, patches).together
    suspects = find_label_errors(parts)
    suspects["id"] = ids_at(split_table, suspects.place.to_numpy())
    ranked = suspects.sort_values(["confidence", "id"], ignore_index=True)
    write_table(ranked.assign(rank=np.arange(1, len(ranked) + 1))[COLUMNS], table)


def find_label_errors(parts: dict[str, Predictions]) -> pd.DataFrame:
    """The patches with suspect labels among predictions by part.

    Columns: `place` in the split, `label`, `probability`, `slide`, `part`, and the `confidence` in the label.
    The parts are judged each by itself: the averages that probabilities are compared with are of the
    networks that made them.
    """
    tables = []
    for name, part in parts.items():
        patches = pd.DataFrame(
            {
                "place": part.places,
                "label": part.labels,
                "probability": part.probabilities,
                "slide": "" if part.slides is None else part.slides,
                "part": name,
                "confidence": self_confidence(part.labels, part.probabilities),
            }
        )
        tables.append(patches[suspect_labels(part.labels, part.probabilities)])
    return pd.concat(tables, ignore_index=True)
