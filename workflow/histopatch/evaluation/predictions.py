"""Predictions of runs, read from their files, with the slides and patients as far as they are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.data.units import spelling, units_of
from histopatch.files import read_table
from histopatch.statistics.auroc import fold_aurocs, precision_by_slide
from histopatch.statistics.metrics import summarise
from histopatch.statistics.sample_size import slides_for_margin


class Predictions(NamedTuple):
    """Predictions of N patches, sorted by id so that two runs can be paired."""

    ids: np.ndarray
    labels: np.ndarray  # 0 and 1
    probabilities: np.ndarray  # of label 1
    slides: np.ndarray | None  # an empty text where one is unknown; None if all are
    folds: np.ndarray  # the fold whose training predicted the patch
    patients: np.ndarray | None = None  # likewise

    @property
    def unit(self) -> str:
        """What is independent of each other, as far as it is known: `patient` or `slide`."""
        return "patient" if self.patients is not None else "slide"

    @property
    def units(self) -> np.ndarray | None:
        """The unit of each patch as a number, as resampling needs it; None if all are unknown.

        If only some are known, every other patch is a unit of its own, as it is in the split.
        """
        known = {"slide": self.slides, "patient": self.patients}
        table = pd.DataFrame(
            {name: "" if of is None else of for name, of in known.items()}, range(len(self.ids))
        )
        if (table == "").all(axis=None):
            return None
        return units_of(table, self.unit)

    @property
    def counts(self) -> dict[str, int | None]:
        """How many `slides` and `patients` there are, and how many patches have no `unit` (`unmapped`).

        None where nothing is known.
        """
        of_unit = self.patients if self.patients is not None else self.slides
        return {
            "slides": _distinct(self.slides),
            "patients": _distinct(self.patients),
            "unmapped": None if of_unit is None else int((of_unit == "").sum()),
        }

    @property
    def fold_aurocs(self) -> np.ndarray:
        """The AUROC within each fold; their mean is that of the run."""
        return fold_aurocs(self.labels, self.probabilities, self.folds)

    def describe_units(self) -> dict | None:
        """The `kind` of units, their `count`, how many are `with_positives` and `with_negatives`, and how
        many would give the AUROC an interval of ± 0.01 (`for_0.01`, None where that cannot be said); None if
        unknown."""
        units = self.units
        if units is None:
            return None
        negative, positive = (len(np.unique(units[self.labels == label])) for label in (0, 1))
        count = len(np.unique(units))
        precision = precision_by_slide(self.labels, [self.probabilities], [], units, folds=[self.folds])
        needed = precision and slides_for_margin(precision.errors[0], count, precision.rarer, margin=0.01)
        having = {"with_positives": positive, "with_negatives": negative}
        return {"kind": self.unit, "count": count, **having, "for_0.01": needed}

    def subset(self, mask: np.ndarray) -> "Predictions":
        """Some of the patches; mask: N booleans."""
        return Predictions(*(None if values is None else values[mask] for values in self))

    def summarise(self) -> dict:
        """All metrics, as in `statistics.metrics.summarise`, with `counts`."""
        found = summarise(self.labels, self.probabilities, self.units, unit=self.unit, folds=self.folds)
        return found | self.counts


def _distinct(names: np.ndarray | None) -> int | None:
    return None if names is None else int(spelling(pd.Series(names[names != ""], dtype=str)).nunique())


def read_slides(split: str | Path) -> pd.DataFrame | None:
    """The `slide` and `patient` of each patch by id, empty texts where unknown; None if all are.

    split: CSV `id,label,slide,fold`, perhaps with `patient`.
    """
    table = read_table(split).set_index("id").reindex(columns=["slide", "patient"], fill_value="")
    table = table.fillna("")
    return None if (table == "").all(axis=None) else table


def read_predictions(
    paths: Sequence[str | Path], slides: pd.DataFrame | None, column: str = "probability"
) -> Predictions:
    """Pool the predictions (CSV `id,label,probability`) of a run's folds, fold 0 first.

    Each patch is predicted by the training that did not see it. slides: as `read_slides` returns them;
    column: the one with the probabilities.
    """
    tables = [read_table(path).assign(fold=fold) for fold, path in enumerate(paths)]
    table = pd.concat(tables).sort_values("id", kind="stable")
    ids, labels, probabilities, folds = (table[name].to_numpy() for name in ("id", "label", column, "fold"))
    slide, patient = (_known(slides, name, ids) for name in ("slide", "patient"))
    return Predictions(ids, labels, probabilities, slide, folds, patient)


def _known(slides: pd.DataFrame | None, name: str, ids: np.ndarray) -> np.ndarray | None:
    """The slides or patients of some patches, None if none is known."""
    if slides is None or (slides[name] == "").all():
        return None
    return slides[name].loc[ids].to_numpy()


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
