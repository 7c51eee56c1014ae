"""The configuration: numbers made numbers, checked against the schema, defaults filled in."""

import copy
import datetime
import math
import os

import jsonschema

from histopatch.data.formats.format import format_class
from histopatch.data.group_table import TAKEN, by_column
from histopatch.data.names import quote
from histopatch.errors import InputError
from histopatch.faults import kind, say, unknown, unknown_key
from histopatch.schema import read_schema

MAX_DEPTH = 50  # far deeper than any key
MAX_TEXT = 4096  # characters, as in the longest path
MAX_RUNS = 10_000  # of a study
PATHS = ("root", "table", "slides", "groups")  # of a data set
ANY_FORMAT = ("groups", "microns_per_pixel", "shards")  # keys of `dataset` that go with every format
PLAIN = (str, int, float, dict, list, datetime.date, type(None))


class UnknownExperimentError(InputError):
    """The experiment that is asked for is not in the configuration."""


def load(raw: dict, schema: dict | None = None) -> dict:
    """Return the whole configuration, checked and with every default filled in.

    raw: the merged configuration as YAML gives it; it is left as it is.
    schema: the JSON schema to check against, by default that of `workflow/schemas/`.
    Raises InputError for a typo, a wrong type or an impossible value.
    """
    schema = schema or read_schema()
    _check_plain(raw)
    config = _numbers(schema, copy.deepcopy(raw), schema)
    if isinstance(config, dict) and "experiment" in config:
        config["experiment"] = _as_called(config["experiment"], config.get("experiments"))
    _check(config, schema, schema)
    for name, experiment in config["experiments"].items():
        _check_dataset(experiment["dataset"], f"experiments.{name}.dataset")
        for external, dataset in experiment.get("external", {}).items():
            _check_external(dataset, f"experiments.{name}.external.{external}")
        _offer_official_split(experiment)
    config = _fill(schema, config, schema)
    if config["experiment"] not in config["experiments"]:
        named = unknown("experiment", config["experiment"], config["experiments"])
        raise UnknownExperimentError(f"experiment: {named}")
    for name, experiment in config["experiments"].items():
        _check_experiment(experiment, f"experiments.{name}", schema)
    return config


def _check_plain(value, at: str = "", depth: int = 0) -> None:
    """Refuse what neither the schema nor the rest here is made for, such as keys that are no texts."""
    where = at or "config"
    if depth > MAX_DEPTH:
        raise InputError(f"{where[:60]}…: nested too deeply; write it with fewer levels")
    if not isinstance(value, PLAIN):
        raise InputError(f"{where}: YAML reads {type(value).__name__} here, which no key takes; give a text")
    if isinstance(value, int) and value.bit_length() > 1024:
        raise InputError(f"{where}: a number of more than 300 digits; give a smaller one")
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise InputError(f"{where}: a text of more than {MAX_TEXT} characters; give a shorter one")
        if not value.isprintable():
            raise InputError(f"{where}: {quote(value)} has a character that is not printable; take it out")
    if isinstance(value, dict):
        for key, child in value.items():
            _check_plain(key, at)
            if not isinstance(key, str):
                raise InputError(f"{where}: YAML reads the name here as {kind(key)}; put it in quotes")
            _check_plain(child, f"{at}.{key}" if at else key, depth + 1)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            _check_plain(child, f"{where}.{number}", depth + 1)


def _as_called(asked, experiments):
    """The name of an experiment that a command line took for a number, such as 202401 for `2024_01`."""
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not isinstance(experiments, dict):
        return asked
    names = [name for name in experiments if _number(name) == asked]
    return names[0] if len(names) == 1 else asked


def _number(value) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _resolve(node: dict | bool, schema: dict) -> dict:
    """Follow `$ref`; keywords beside it win, as `default` and `fill` do here."""
    if not isinstance(node, dict):
        return {}
    if "$ref" in node:
        target = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return {**_resolve(target, schema), **{k: v for k, v in node.items() if k != "$ref"}}
    return node


def _children(node: dict, value: dict):
    """Pairs of key and schema for the keys of an object."""
    properties, rest = node.get("properties", {}), node.get("additionalProperties", {})
    return ((key, properties.get(key, rest)) for key in value)


def _numbers(node: dict, value, schema: dict):
    """Give numbers one form, so that `3e-4` (a string to YAML), 3.0e-4 and 0.0003 are the same."""
    node = _resolve(node, schema)
    if isinstance(value, dict):
        value = {key: _numbers(child, value[key], schema) for key, child in _children(node, value)}
        if "grid" in value and isinstance(value["grid"], dict):
            value["grid"] = _grid_numbers(value["grid"], schema)
        return value
    kinds = {part.get("type") for part in (node, *node.get("anyOf", []))}
    if kinds & {"number", "integer"} and not isinstance(value, bool):
        number = _number(value)
        if number is None:
            return value
        if math.isnan(number):
            return str(value)  # within every range, as no comparison holds; a text is refused
        if "integer" in kinds and number.is_integer():
            return value if isinstance(value, int) else int(number)
        return number
    return value


def _grid_numbers(grid: dict, schema: dict) -> dict:
    settings = schema["$defs"]["settings"]["properties"]
    return {
        key: [_numbers(settings.get(key, {}), value, schema) for value in values]
        if isinstance(values, list)
        else values
        for key, values in grid.items()
    }


def _fill(node: dict, value, schema: dict):
    """Fill in defaults, each a copy of its own; `fill: false` stops at overrides."""
    node = _resolve(node, schema)
    if not isinstance(value, dict) or node.get("fill") is False:
        return value
    for key, child in node.get("properties", {}).items():
        child = _resolve(child, schema)
        if key not in value and "default" in child:
            value[key] = copy.deepcopy(child["default"])
    return {key: _fill(child, value[key], schema) for key, child in _children(node, value)}


def without_defaults(experiment: dict) -> dict:
    """The section of an experiment as `load` returns it, keys sorted, without what `load` would fill in."""
    schema = read_schema()
    return _unfilled(schema["$defs"]["experiment"], experiment, schema)


def _unfilled(node: dict, value, schema: dict):
    """The inverse of `_fill`; keys are sorted at every depth."""
    if not isinstance(value, dict):
        return value
    node, kept = _resolve(node, schema), {}
    fills = node.get("fill") is not False
    for key, child in sorted(_children(node, value)):
        child = _resolve(child, schema)
        default = _fill(child, copy.deepcopy(child.get("default")), schema)
        if not (fills and "default" in child and value[key] == default):
            kept[key] = _unfilled(child if fills else {}, value[key], schema)
    return kept


def _check(value, node: dict, schema: dict, at: str = "") -> None:
    validator = jsonschema.Draft202012Validator({**node, "$defs": schema["$defs"]})
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is None:
        return
    path = ".".join(filter(None, [at, *map(str, error.absolute_path)])) or "config"
    raise InputError(f"{path}: {say(error, schema)}")


def _check_dataset(dataset: dict, at: str) -> None:
    """Check that the keys fit the format; before filling in, which adds `synthetic` to all."""
    known = format_class(dataset["format"])
    for key in dataset:
        if key not in ("format", *ANY_FORMAT, *known.required, *known.optional):
            raise InputError(f"{at}.{key}: does not go with format {dataset['format']!r}; remove it")
        if key in PATHS and dataset[key].startswith("~"):
            whole = quote(os.path.expanduser(dataset[key]))
            raise InputError(f"{at}.{key}: starts with `~`, which only a shell expands; write {whole}")
    for key, meaning in known.required.items():
        if key not in dataset:
            raise InputError(f"{at}: the key {key!r} is missing; it names {meaning}")


def _check_external(dataset: dict, at: str) -> None:
    _check_dataset(dataset, at)
    if "groups" in dataset:
        raise InputError(f"{at}.groups: groups are measured within `dataset` only; remove it")
    if "microns_per_pixel" in dataset:
        raise InputError(
            f"{at}.microns_per_pixel: belongs to `dataset`, which the model is trained on; remove it"
        )
    if "shards" in dataset:
        raise InputError(f"{at}.shards: only the images of `dataset` are packed in shards; remove it")


def _offer_official_split(experiment: dict) -> None:
    """Add the split `official` where the data set gives its parts: the default unless there is `main`."""
    dataset = experiment["dataset"]
    if format_class(dataset["format"]).gives_parts(dataset):
        splits = experiment.setdefault("splits", {})
        splits.setdefault("official", {"parts": "given"})
        if "main" not in splits:
            experiment.setdefault("defaults", {}).setdefault("split", "official")


def _check_experiment(experiment: dict, at: str, schema: dict) -> None:
    """Check what a schema cannot say: that names used in one place are defined in another."""
    settings = schema["$defs"]["settings"]["properties"]
    dataset = experiment["dataset"]
    for name, split in experiment["splits"].items():
        if by_column(split["group_by"]) and "groups" not in dataset:
            wrong = unknown("group", split["group_by"], TAKEN)
            raise InputError(
                f"{at}.splits.{name}.group_by: {wrong}, or name a table with it in dataset.groups"
            )
        if split["parts"] == "given" and not format_class(dataset["format"]).gives_parts(dataset):
            raise InputError(
                f"{at}.splits.{name}.parts: this data set does not give its parts; for a table, name their "
                "column in dataset.columns.part"
            )
    for name, study in experiment["studies"].items():
        here = f"{at}.studies.{name}"
        for key, values in study.get("grid", {}).items():
            if key not in settings:
                raise InputError(f"{here}.grid: {unknown_key(key, settings)}")
            for place, value in enumerate(values):
                _check(value, settings[key], schema, at=f"{here}.grid.{key}.{place}")
        count = len(study.get("runs", {})) + math.prod(map(len, study.get("grid", {}).values()))
        if count * study["repeats"] > MAX_RUNS:
            raise InputError(
                f"{here}: {count * study['repeats']:,} runs; {MAX_RUNS:,} are the most, give fewer"
            )
        for run in study["disabled"]:
            if run not in study.get("runs", {}):
                raise InputError(f"{here}.disabled: {unknown('run', run, study.get('runs', {}))}")
        for run, overrides in study.get("runs", {}).items():
            _check_split(overrides.get("split"), experiment, f"{here}.runs.{run}")
        for split in study.get("grid", {}).get("split", []):
            _check_split(split, experiment, f"{here}.grid")
    _check_split(experiment["defaults"]["split"], experiment, f"{at}.defaults")
    _check_split(experiment["final"]["overrides"].get("split"), experiment, f"{at}.final.overrides")
    _check_final(experiment, f"{at}.final")


def _check_final(experiment: dict, at: str) -> None:
    final = experiment["final"]
    if final["study"] not in experiment["studies"]:
        raise InputError(f"{at}.study: {unknown('study', final['study'], experiment['studies'])}")
    if final["select"] == "cheapest_tied" and final["metric"] != "val_auc":
        raise InputError(f"{at}.select: 'cheapest_tied' needs the metric 'val_auc', on which ties are tested")


def _check_split(split: str | None, experiment: dict, at: str) -> None:
    if split is not None and split not in experiment["splits"]:
        raise InputError(f"{at}.split: {unknown('split', split, experiment['splits'])}")
