"""What the results of an experiment take on disk, and what of it the configuration no longer names."""

import re
from pathlib import Path

from histopatch.banks import bank_of
from histopatch.experiment import Experiment
from histopatch.schema import read_schema

# What takes room, and what it is for; the first pattern that a file matches says what it is.
KINDS = (
    ("images, decoded once", "pack/*.npy pack/*.shards/*.npy external/*/pack/*.npy"),
    ("synthetic images", "source/**/*"),
    ("what work goes on from", "runs/*/fold-*/resume.pt **/.*.parts/*"),
    ("features of frozen encoders", "features/*"),
    ("weights of the folds of all runs", "runs/*/fold-*/model.safetensors"),
    ("the final model", "final/model/*"),
    ("the report and figures", "report.html figures/*"),
    ("tables, predictions and the rest", "**/*"),
)


def usage(results: Path) -> dict[str, int]:
    """Bytes of each kind of file below a folder of results."""
    sizes = dict.fromkeys((kind for kind, _ in KINDS), 0)
    seen: set[Path] = set()
    for kind, patterns in KINDS:
        found = {path for pattern in patterns.split() for path in results.glob(pattern) if path.is_file()}
        sizes[kind] = sum(path.stat().st_size for path in found - seen)
        seen |= found
    return sizes


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())


def states(results: Path) -> list[Path]:
    """What work goes on from that was interrupted: states of trainings, those that successive halving
    stopped included, and folders of finished parts."""
    return sorted([*results.glob("runs/*/fold-*/resume.pt"), *results.rglob(".*.parts")])


def obsolete(experiment: Experiment, results: Path) -> list[Path]:
    """What an earlier configuration of the experiment left behind.

    Folders of runs, of folds that a run no longer has and of external data sets, and the files of feature
    banks that no run reads, of studies, of splits and of the shards of another number of them.
    """
    return [
        *_runs(experiment, results),
        *_unnamed(results, "pack/*.shards/*", r"\d+-of-(\d+)\..+", {str(experiment.shards)} - {"1"}),
        *_unnamed(results, "features/*.*", r"([^.].*)\..+", _banks(experiment)),
        *_unnamed(results, "external/*", r"(.+)", {*experiment.external}),
        *_unnamed(results, "tables/*.csv", r"(.+)\.csv", {*experiment.studies, *_other_tables()}),
        *_unnamed(results, "tables/rungs/*.csv", r"(.+)-\d+\.csv", {*experiment.studies}),
        *_unnamed(results, "figures/study-*.png", r"study-(.+)\.png", {*experiment.studies}),
        *_unnamed(results, "splits/*", r"(.+?)\.(?:audit\.|flow\.)?\w+", {*experiment.splits}),
        *_unnamed(results, "figures/audit-*.png", r"audit-(.+)\.png", {*experiment.splits}),
        *_unnamed(results, "figures/flow-*.png", r"flow-(.+)\.png", {*experiment.splits}),
        *_unnamed(results, "lr_range/*.csv", r"(.+)\.csv", {*experiment.runs}),
        *_unnamed(results, "figures/lr_range-*.png", r"lr_range-(.+)\.png", {*experiment.runs}),
    ]


def _runs(experiment: Experiment, results: Path) -> list[Path]:
    found = []
    for folder in sorted((results / "runs").glob("*")):
        if folder.name not in experiment.runs:
            found.append(folder)
            continue
        count = experiment.fold_count(experiment.runs[folder.name])
        folds = {f"fold-{fold}" for fold in range(count)}
        found += sorted(fold for fold in folder.glob("fold-*") if fold.name not in folds)
    return found


def _banks(experiment: Experiment) -> set[str]:
    return {bank.name for run in experiment.runs.values() if (bank := bank_of(run.identity))}


def _other_tables() -> list[str]:
    """The tables beside those of the studies, which no study may be called like."""
    return read_schema()["$defs"]["experiment"]["properties"]["studies"]["propertyNames"]["not"]["enum"]


def _unnamed(results: Path, pattern: str, named: str, known: set[str]) -> list[Path]:
    """The paths whose name says something, by the first group of `named`, that is not known."""
    paths = ((path, re.fullmatch(named, path.name)) for path in sorted(results.glob(pattern)))
    return [path for path, match in paths if match and match[1] not in known]
