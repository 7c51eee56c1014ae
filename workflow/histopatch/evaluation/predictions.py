"""Predictions of runs, read from their files, with the slides of the patches if those are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.files import read_table


class Predictions(NamedTuple):
    """Predictions of N patches, sorted by id so that two runs can be paired."""

    ids: np.ndarray
    labels: np.ndarray  # 0 and 1
    probabilities: np.ndarray  # of label 1
    slides: np.ndarray | None  # None if unknown
    folds: np.ndarray  # the fold whose training predicted the patch

    @property
    def several_slides(self) -> np.ndarray | None:
        """The slides if there are at least two, as resampling by slide needs; else None."""
        return None if self.slides is None or len(set(self.slides)) < 2 else self.slides

    def subset(self, mask: np.ndarray) -> "Predictions":
        """Some of the patches; mask: N booleans."""
        return Predictions(*(None if values is None else values[mask] for values in self))


def read_slides(split: str | Path) -> pd.Series | None:
    """The slide of each patch by id, or None if the split (CSV `id,label,slide,fold`) knows none.

    If only some slides are known, every other patch counts as a slide of its own, as it does in the split.
    """
    table = read_table(split)
    own = "patch " + table.id
    return None if table.slide.isna().all() else table.slide.fillna(own).set_axis(table.id)


def read_predictions(paths: Sequence[str | Path], slides: pd.Series | None) -> Predictions:
    """Pool the predictions (CSV `id,label,probability`) of a run's folds, fold 0 first.

    Each patch is predicted by the training that did not see it. slides: as `read_slides` returns them.
    """
    tables = [read_table(path).assign(fold=fold) for fold, path in enumerate(paths)]
    table = pd.concat(tables).sort_values("id", kind="stable")
    slide_of_patch = None if slides is None else slides.loc[table.id].to_numpy()
    columns = (table[name].to_numpy() for name in ("id", "label", "probability"))
    return Predictions(*columns, slide_of_patch, table.fold.to_numpy())


def read_run_predictions(runs: list[dict], root: str, splits: dict[str, str]) -> dict[str, Predictions]:
    """The predictions of runs by folder; a run in two studies is read once.

    runs: `folder`, `settings` and `folds` of each; root: the folder that holds the runs' folders; splits:
    the table of each split by name, which knows the slides.
    """
    slides = {name: read_slides(path) for name, path in splits.items()}
    return {
        folder: read_predictions(
            [path / "predictions.csv" for path in fold_folders(run, root)], slides[run["settings"]["split"]]
        )
        for folder, run in {run["folder"]: run for run in runs}.items()
    }


def fold_folders(run: dict, root: str) -> list[Path]:
    """The folders of a run's trainings, fold 0 first."""
    return [Path(root, run["folder"], f"fold-{fold}") for fold in range(run["folds"])]
