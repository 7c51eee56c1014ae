"""Predictions of runs, read from their files, with the slides and patients as far as they are known."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.data.folds import split_blocks
from histopatch.data.units import spelling, units_of
from histopatch.database import Database, database
from histopatch.errors import InputError
from histopatch.files import read_blocks
from histopatch.statistics.auroc import fold_aurocs, precision_by_slide
from histopatch.statistics.metrics import summarise
from histopatch.statistics.sample_size import slides_for_margin


class Predictions(NamedTuple):
    """Predictions of N patches, in the order of their ids so that two runs can be paired."""

    places: np.ndarray  # of the patches in the table of their split, from 0, for `ids_at`
    labels: np.ndarray  # 0 and 1
    probabilities: np.ndarray  # of label 1
    slides: np.ndarray | pd.Categorical | None  # an empty text where one is unknown; None if all are
    folds: np.ndarray  # the fold whose training predicted the patch
    patients: np.ndarray | pd.Categorical | None = None  # likewise

    @property
    def unit(self) -> str:
        """What is independent of each other, as far as it is known: `patient` or `slide`."""
        return "patient" if self.patients is not None else "slide"

    @property
    def units(self) -> np.ndarray | None:
        """The unit of each patch as a number, as resampling needs it; None if all are unknown.

        If only some are known, every other patch is a unit of its own, as it is in the split.
        """
        nothing = pd.Categorical.from_codes(np.zeros(len(self.labels), np.int8), [""])
        known = {"slide": self.slides, "patient": self.patients}
        table = pd.DataFrame({name: nothing if of is None else of for name, of in known.items()})
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


def _distinct(names: np.ndarray | pd.Categorical | None) -> int | None:
    if names is None:
        return None
    known = pd.unique(names[names != ""])
    return int(spelling(pd.Series(np.asarray(known, object))).nunique())


@contextlib.contextmanager
def known_patches(split: str | Path) -> Iterator[Database]:
    """Yield the patches of a split, which predictions are of, with their slides and patients.

    split: CSV `id,label,slide,fold`, perhaps with `patient`. The table of the database is `patches`:
    `place,id,slide,patient`, with empty texts where a slide or patient is unknown.
    """
    with database() as tables:
        tables.load("patches", split_blocks(split, ["id"]))
        yield tables


def read_predictions(
    paths: Sequence[str | Path], patches: Database, column: str = "probability"
) -> Predictions:
    """Pool the predictions (CSV `id,label,probability`) of a run's folds, fold 0 first.

    Each patch is predicted by the training that did not see it. patches: as `known_patches` yields them;
    column: the one with the probabilities. Raises InputError for a patch that is not among them.
    """
    patches.load(
        "predictions",
        (
            rows.assign(fold=fold)
            for fold, path in enumerate(paths)
            for rows in read_blocks(path, ["id", "label", column])
        ),
        # Else a first block of zeros and ones would make whole numbers of all others.
        {"id": "VARCHAR", "label": "TINYINT", column: "DOUBLE", "fold": "SMALLINT"},
    )
    (missing,) = patches.row("SELECT arg_min(id, place) FROM predictions ANTI JOIN patches USING (id)")
    if missing is not None:
        raise InputError(f"{paths[0]}: the patch {missing!r} is not in the split; make both again")
    patches.run(
        f"""CREATE TABLE found AS
        SELECT id, patches.place, label, {column} AS probability, slide, fold, patient
        FROM predictions JOIN patches USING (id)"""
    )
    found = patches.compact(
        "SELECT place, label, probability, slide, fold, patient FROM found ORDER BY id, fold"
    )
    for table in ("predictions", "found"):
        patches.run(f"DROP TABLE {table}")
    slides, patients = (
        found[unit].array if patches.row(f"SELECT count(*) FROM patches WHERE {unit} <> ''")[0] else None
        for unit in ("slide", "patient")
    )
    return Predictions(
        found.place.to_numpy(), found.label.to_numpy(), found.probability.to_numpy(), slides,
        found.fold.to_numpy(), patients,
    )  # fmt: skip


def ids_at(split: str | Path, places: np.ndarray) -> np.ndarray:
    """The ids of the patches at some places of a split, in the order of the places."""
    ids, start = np.empty(len(places), object), 0
    for rows in read_blocks(split, ["id"]):
        here = (places >= start) & (places < start + len(rows))
        ids[here] = rows.id.to_numpy()[places[here] - start]
        start += len(rows)
    return ids


def read_run_predictions(runs: list[dict], root: str, splits: dict[str, str]) -> dict[str, Predictions]:
    """The predictions of runs by folder; a run in two studies is read once.

    runs: `folder`, `settings` and `folds` of each; root: the folder that holds the runs' folders; splits:
    the table of each split by name, which knows the slides.
    """
    found = {}
    for name, path in splits.items():
        first = None
        with known_patches(path) as patches:
            for run in runs:
                if run["settings"]["split"] == name and run["folder"] not in found:
                    files = [folder / "predictions.csv" for folder in fold_folders(run, root)]
                    own = read_predictions(files, patches)
                    first = own if first is None else first
                    found[run["folder"]] = _sharing(own, first)
    return {run["folder"]: found[run["folder"]] for run in runs}


def _sharing(own: Predictions, first: Predictions) -> Predictions:
    """The predictions, holding the arrays of the first where both are of the same patches and folds."""
    alike = ("places", "labels", "folds")
    same = all(np.array_equal(getattr(own, name), getattr(first, name)) for name in alike)
    return first._replace(probabilities=own.probabilities) if same else own


def fold_folders(run: dict, root: str) -> list[Path]:
    """The folders of a run's trainings, fold 0 first."""
    return [Path(root, run["folder"], f"fold-{fold}") for fold in range(run["folds"])]
