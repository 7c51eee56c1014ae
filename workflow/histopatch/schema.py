"""The schema of the configuration, and the neutral values that it declares.

A key's `neutral` is the value at which it does nothing. It is never changed again, whatever the default
becomes: values at neutral are left out of identities and params, so a new key changes nothing that exists.
`neutral: null` marks a key that always does something, such as a learning rate.
"""

import functools
from pathlib import Path

import yaml

PATH = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"


@functools.cache
def read_schema() -> dict:
    """The JSON schema as a dictionary, which nobody may change."""
    return yaml.safe_load(PATH.read_text())


def without_neutral(kind: str, values: dict) -> dict:
    """Values that do something, keys sorted at every depth.

    kind: which of the schema's `$defs` the values are of, for example `settings` or `split`.
    """
    return _without_neutral(read_schema()["$defs"][kind], values)


def neutral_settings() -> dict:
    """The settings of a run that have a neutral value, at it, nested as in the configuration."""
    return _neutral(read_schema()["$defs"]["settings"])


def setting_columns() -> list[str]:
    """Every setting of a run as a column of a table: nested keys are joined by a dot."""
    return _columns(read_schema()["$defs"]["settings"])


def augmentation_examples() -> dict[str, bool | float]:
    """A usual strength of each augmentation, in the order of the schema."""
    properties = read_schema()["$defs"]["settings"]["properties"]["augmentation"]["properties"]
    return {name: node["examples"][0] for name, node in properties.items()}


def stain_methods() -> list[str]:
    """The methods of stain normalisation."""
    node = read_schema()["$defs"]["settings"]["properties"]["stain_normalisation"]
    return [method for method in node["enum"] if method != node["neutral"]]


def _without_neutral(node: dict, values: dict) -> dict:
    kept = {}
    for key in sorted(values):
        value, child = values[key], node.get("properties", {}).get(key, {})
        if isinstance(value, dict):
            value = _without_neutral(child, value)
            if value or "properties" not in child:
                kept[key] = value
        elif child.get("neutral") is None or value != child["neutral"]:
            kept[key] = value
    return kept


def _neutral(node: dict) -> dict:
    found = {}
    for key, child in node["properties"].items():
        if "properties" in child:
            found[key] = _neutral(child)
        elif child.get("neutral") is not None:
            neutral = child["neutral"]
            found[key] = float(neutral) if child.get("type") == "number" else neutral  # as in identities
    return found


def _columns(node: dict, prefix: str = "") -> list[str]:
    return [
        column
        for key, child in node["properties"].items()
        for column in (_columns(child, f"{prefix}{key}.") if "properties" in child else [f"{prefix}{key}"])
    ]
