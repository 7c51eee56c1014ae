"""A run is its configuration: studies unfolded into runs, each named after the hash of its settings."""

import hashlib
import itertools
import json
from dataclasses import dataclass

from histopatch.errors import InputError


@dataclass(frozen=True)
class Run:
    """One training. Runs with equal settings are the same run, whatever their studies call them."""

    settings: dict  # resolved (defaults + overrides), keys sorted at every depth

    @property
    def folder(self) -> str:
        """`<backbone>-<size>px-<hash>`: made of the settings, never of the run's name."""
        text = json.dumps(self.settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{self.settings['backbone']}-{self.settings['image_size']}px-{digest}"


def resolve(defaults: dict, *overrides: dict) -> Run:
    """Lay overrides over the defaults, nested objects key by key, the last one on top."""
    settings = defaults
    for layer in overrides:
        settings = _merge(settings, layer)
    return Run(_sorted(settings))


def study_runs(experiment: dict, study: str) -> dict[str, Run]:
    """The enabled runs of a study by name: those under `runs`, then the product of the `grid`.

    A combination of the grid is named after its settings, `lr=0.0001,dropout=0.2`. With `repeats` each run
    is followed by itself with the next seeds, `…,seed=43`. Raises InputError when nothing is left or two
    names stand for the same settings.
    """
    config = experiment["studies"][study]
    runs = {
        name: resolve(experiment["defaults"], overrides)
        for name, overrides in config.get("runs", {}).items()
        if name not in config["disabled"]
    }
    if grid := config.get("grid"):
        for values in itertools.product(*grid.values()):
            combination = dict(zip(grid, values, strict=True))
            runs[_combination_name(combination, grid)] = resolve(experiment["defaults"], combination)
    runs = _repeated(runs, config["repeats"])
    if not runs:
        raise InputError(f"studies.{study}: every run is disabled; enable one or remove the study")
    names: dict[str, str] = {}
    for name, run in runs.items():
        if run.folder in names:
            raise InputError(
                f"studies.{study}: {names[run.folder]!r} and {name!r} have the same settings; "
                "remove one of them"
            )
        names[run.folder] = name
    return runs


def all_runs(experiment: dict) -> dict[str, Run]:
    """Every run of every study and every run that the final training could become, by folder."""
    runs = {
        run.folder: run for study in experiment["studies"] for run in study_runs(experiment, study).values()
    }
    return runs | {run.folder: run for run in final_runs(experiment).values()}


def final_runs(experiment: dict) -> dict[str, Run]:
    """The run that the final training becomes, by the folder of the run that wins its study.

    Raises InputError where the runs to choose from are measured on several splits, and where a part is held
    out that the choice would see, or a calibration would not fit.
    """
    final = experiment["final"]
    candidates = study_runs(experiment, final["study"]).values()
    finals = {run.folder: resolve(run.settings, final["overrides"]) for run in candidates}
    splits = {run.settings["split"] for run in candidates}
    if len(splits) > 1:
        raise InputError(
            f"final.study: the runs of {final['study']!r} are measured on several splits "
            f"({', '.join(sorted(splits))}), of which the easiest would win; choose a study with one split"
        )
    splits |= {run.settings["split"] for run in finals.values()}
    held_out = sorted(name for name in splits if experiment["splits"][name]["held_out_fraction"])
    if held_out and len(splits) > 1:
        raise InputError(
            f"splits.{held_out[0]}.held_out_fraction: final.study and the final training use different "
            f"splits ({', '.join(sorted(splits))}), so the choice would see what is held out; give both one"
        )
    if final["calibrated"] and any(fold_count(experiment, run) > 1 for run in finals.values()):
        raise InputError(
            "final.calibrated: with folds the final model is the mean of several networks, and a temperature "
            "fitted on their own predictions does not fit the mean; take a split without folds, or raw"
        )
    return finals


def fold_count(experiment: dict, run: Run) -> int:
    """How many trainings a run has: one for each fold of its split."""
    return experiment["splits"][run.settings["split"]]["folds"]


def _repeated(runs: dict[str, Run], repeats: int) -> dict[str, Run]:
    """Each run, followed by itself with the next seeds."""
    repeated = {}
    for name, run in runs.items():
        first = run.settings["seed"]
        for seed in range(first, first + repeats):
            again = name if seed == first else f"{name},seed={seed}"
            repeated[again] = resolve(run.settings, {"seed": seed})
    return repeated


def _combination_name(combination: dict, grid: dict) -> str:
    """Only settings with several values tell combinations apart; one value for all is left out."""
    told = {key: value for key, value in combination.items() if len(grid[key]) > 1}
    return ",".join(f"{key}={_plain(value)}" for key, value in (told or combination).items())


def _plain(value) -> str:
    if not isinstance(value, float):
        return json.dumps(value).strip('"')
    short = f"{value:g}"
    return short if float(short) == value else repr(value)  # never one name for two values


def _merge(base: dict, layer: dict) -> dict:
    merged = dict(base)
    for key, value in layer.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if nested else value
    return merged


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
