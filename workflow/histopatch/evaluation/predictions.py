"""The predictions that a run kept, with the slides of the patches where those are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.files import read_table


class Kept(NamedTuple):
    """Predictions of N patches in the order of their ids, so that those of two runs can be paired."""

    ids: np.ndarray
    labels: np.ndarray  # 0 and 1
    probabilities: np.ndarray  # of 1
    slides: np.ndarray | None  # None where they are not known
    folds: np.ndarray  # the fold whose training predicted the patch

    @property
    def several_slides(self) -> np.ndarray | None:
        """The slides where there are two at least, without which nothing can be drawn by slide."""
        return None if self.slides is None or len(set(self.slides)) < 2 else self.slides

    def only(self, chosen: np.ndarray) -> "Kept":
        """Some of the patches; chosen: N booleans."""
        return Kept(*(None if values is None else values[chosen] for values in self))


def read_slides(split: str | Path) -> pd.Series | None:
    """The slide of each patch by its id, or None where the split (`id,label,slide,fold`) knows none.

    Where only some are known, each other patch is a slide of its own, as it is for the split.
    """
    table = read_table(split)
    own = "patch " + table.id
    return None if table.slide.isna().all() else table.slide.fillna(own).set_axis(table.id)


def read_kept(predictions: Sequence[str | Path], slides: pd.Series | None) -> Kept:
    """Pool the tables `id,label,probability` of a run's folds, fold 0 first.

    Each patch is predicted by the training that did not see it. slides: as `read_slides` gives them.
    """
    tables = [read_table(path).assign(fold=fold) for fold, path in enumerate(predictions)]
    table = pd.concat(tables).sort_values("id", kind="stable")
    of_patches = None if slides is None else slides.loc[table.id].to_numpy()
    columns = (table[name].to_numpy() for name in ("id", "label", "probability"))
    return Kept(*columns, of_patches, table.fold.to_numpy())


def read_runs(runs: list[dict], root: str, splits: dict[str, str]) -> dict[str, Kept]:
    """The predictions of runs by folder.

    runs: `folder`, `settings` and `folds` of each; root: the folder that holds the runs' folders; splits:
    the table of each split, which knows the slides.
    """
    slides = {name: read_slides(path) for name, path in splits.items()}
    return {
        run["folder"]: read_kept(
            [fold / "predictions.csv" for fold in fold_folders(run, root)], slides[run["settings"]["split"]]
        )
        for run in {run["folder"]: run for run in runs}.values()
    }


def fold_folders(run: dict, root: str) -> list[Path]:
    """Where the trainings of a run keep their files, fold 0 first."""
    return [Path(root, run["folder"], f"fold-{fold}") for fold in range(run["folds"])]
