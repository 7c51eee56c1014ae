"""A run is its configuration: studies unfolded into runs, each named after the hash of its settings."""

import hashlib
import itertools
import json
from dataclasses import dataclass
from functools import cached_property

from histopatch.backbones.catalogue import slug
from histopatch.errors import InputError
from histopatch.schema import without_neutral
from histopatch.settings import Settings


@dataclass(frozen=True)
class Run:
    """One configuration, trained once for each fold of its split.

    Runs with equal settings are the same run, whatever their studies call them.
    """

    # The settings that do something, keys sorted at every depth: plain values, for hashes and params.
    identity: dict

    @cached_property
    def settings(self) -> Settings:
        return Settings(**self.identity)

    @cached_property
    def folder(self) -> str:
        """`<backbone>-<size>px-<hash>`: made of the settings, never of the run's name."""
        text = json.dumps(self.identity, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{slug(self.identity['backbone'])}-{self.identity['image_size']}px-{digest}"

    @cached_property
    def candidate(self) -> str:
        """Equal for runs that differ in nothing but their seed."""
        return resolve(self.identity, {"seed": 0}).folder


def resolve(defaults: dict, *overrides: dict) -> Run:
    """Lay overrides over the defaults, nested objects key by key, the last one on top."""
    settings = defaults
    for layer in overrides:
        settings = _merge(settings, layer)
    return Run(without_neutral("settings", settings))


def unfold(study: str, config: dict, defaults: dict) -> dict[str, Run]:
    """The enabled runs of a study by name: those under `runs`, then the product of the `grid`.

    config: the study in the configuration, defaults filled in; defaults: the settings that its runs inherit.
    A combination of the grid is named after its settings, `lr=0.0001,dropout=0.2`. With `repeats` each run
    is followed by itself with the next seeds, `…,seed=43`. Raises InputError when nothing is left or two
    names stand for the same settings.
    """
    layers = {
        name: overrides
        for name, overrides in config.get("runs", {}).items()
        if name not in config["disabled"]
    }
    if grid := config.get("grid"):
        for values in itertools.product(*grid.values()):
            combination = dict(zip(grid, values, strict=True))
            layers[_combination_name(combination, grid)] = combination
    runs = {
        full_name: resolve(defaults, overrides, {"seed": seed})
        for name, overrides in layers.items()
        for full_name, seed in _seeds(name, overrides.get("seed", defaults["seed"]), config["repeats"])
    }
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


def _seeds(name: str, first: int, repeats: int) -> list[tuple[str, int]]:
    """What a run and its repetitions with the next seeds are called."""
    return [
        (name if seed == first else f"{name},seed={seed}", seed) for seed in range(first, first + repeats)
    ]


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
