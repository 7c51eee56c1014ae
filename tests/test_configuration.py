"""docs/configuration.md says what the schema says."""

import yaml
from configuration import PAGE, SCHEMA, page

from histopatch.config import load


def keys(node) -> set[str]:
    """Every key that an object of the schema may have, at any depth."""
    if isinstance(node, list):
        return set().union(*map(keys, node))
    if not isinstance(node, dict):
        return set()
    own = node["properties"] if isinstance(node.get("properties"), dict) else {}
    return {*own}.union(*map(keys, node.values()))


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "write it again: python tests/configuration.py"


def test_every_key_has_a_row_that_says_what_it_means():
    rows = [line.strip("| ").split(" | ") for line in page().splitlines() if line.startswith("| `")]
    assert {row[0].strip("`") for row in rows} == keys(yaml.safe_load(SCHEMA.read_text()))
    assert all(len(row[-1]) > 5 for row in rows)


def test_the_defaults_are_those_that_are_filled_in():
    section = {
        "dataset": {"format": "synthetic"},
        "studies": {"a": {"runs": {"b": {}}}},
        "final": {"study": "a"},
    }
    filled = load({"experiment": "mine", "experiments": {"mine": section}})["experiments"]["mine"]
    for path in ("dataset.synthetic", "cleaning", "defaults", "defaults.augmentation", "final", "figures"):
        values = filled
        for key in path.split("."):
            values = values[key]
        table = page().partition(f"\n## `{path}`\n")[2].partition("\n## ")[0]
        for key, value in values.items():
            (row,) = [line for line in table.splitlines() if line.startswith(f"| `{key}` |")]
            shown = row.split(" | ")[2].strip("`")
            assert shown in ("–", "required") or yaml.safe_load(shown) == value, (path, key)
