"""docs/configuration.md, written from the schema of the configuration: python tests/configuration.py"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
PAGE = ROOT / "docs/configuration.md"
INTRODUCTION = """\
# The configuration

Every key, written from [`workflow/schemas/config.schema.yaml`](../workflow/schemas/config.schema.yaml) by
`python tests/configuration.py`; a test keeps the two in step. Keys are listed by the object that they stand
in, with the path of the object: `<name>` is a name that you choose, and what an experiment holds is given
relative to it. Nothing else is accepted: a typo or an impossible value is reported in one line, before any
job.

A key that is left out has its default; a dash means that it has none and may be left out. At its value
*off* a setting of a run does nothing and is no part of the run's identity.

- An experiment of your own, by example: [README](../README.md#an-experiment-of-your-own).
- What the settings of a training do: [training.md](training.md).
- What happens to wrong input: [inputs.md](inputs.md).
"""
EXPERIMENT, SETTINGS = "experiments.<name>", "defaults"


class Reference:
    """The sections of the page, each about an object with keys of its own."""

    def __init__(self, schema: dict):
        self.schema = schema
        self.sections: dict[str, str] = {}  # path: text, in the order of the page
        self.homes: dict[str, str] = {}  # reference of a definition: path of the section that describes it
        self.describe("", schema)

    def describe(self, path: str, node: dict) -> None:
        """Add the section of an object, then those of the objects in it."""
        heading = f"`{path}`" if path else "Top level"
        lines = [f"## {heading}", ""]
        if "description" in node:
            lines += [node["description"], ""]
        if needed := [f"`{key}`" for wanted in node.get("anyOf", []) for key in wanted["required"]]:
            lines += [f"Needs {' or '.join(needed)}.", ""]
        columns = ["key", "value", "default", *(["off"] if path.startswith(SETTINGS) else []), "meaning"]
        lines += [_row(columns), _row("---" for _ in columns)]
        self.sections[path] = ""  # keeps its place before those of the objects in it
        for key, value in node["properties"].items():
            name = key if path in ("", EXPERIMENT) else f"{path}.{key}"
            lines.append(self.row(name, key, value, key in node.get("required", [])))
        self.sections[path] = "\n".join(lines)

    def row(self, path: str, key: str, node: dict, required: bool) -> str:
        values = self.values(path, node)
        node = self.resolve(node)[0]
        cells = [f"`{key}`", values, "required" if required else _shown(node, "default")]
        if path.startswith(SETTINGS + "."):
            cells.append(_shown(node, "neutral"))
        return _row([*cells, node["description"]])

    def values(self, path: str, node: dict) -> str:
        """What a key may hold, in words; an object with keys is described in a section of its own."""
        node, definition = self.resolve(node)
        if "properties" in node:
            home = self.homes.setdefault(definition or path, path)
            if home == path:
                self.describe(path, node)
            return f"[keys]({_anchor(home)})"
        if isinstance(node.get("additionalProperties"), dict):
            return f"by name: {self.values(f'{path}.<name>', node['additionalProperties'])}"
        if "anyOf" in node:
            return " or ".join(self.values(path, each) for each in node["anyOf"])
        if node.get("type") == "array":
            return f"list, each {self.values(path, node['items'])}" if "items" in node else "list"
        return _scalar(node)

    def resolve(self, node: dict) -> tuple[dict, str]:
        """A node with what its references say, and the definition that they end at, or none.

        What the node says itself counts first.
        """
        name = ""
        while "$ref" in node:
            name = node["$ref"].removeprefix("#/$defs/")
            node = self.schema["$defs"][name] | {key: node[key] for key in node if key != "$ref"}
        return node, name


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _scalar(node: dict) -> str:
    if "title" in node:
        return node["title"]
    if "const" in node or "enum" in node:
        return ", ".join(f"`{_literal(value)}`" for value in node.get("enum", [node.get("const")]))
    if node["type"] == "boolean":
        return "`true`, `false`"
    if node["type"] == "string":
        return "text"
    limits = {
        "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below",
    }  # fmt: skip
    said = [f"{words} {_literal(node[limit])}" for limit, words in limits.items() if limit in node]
    return " ".join([{"integer": "whole number", "number": "number"}[node["type"]], ", ".join(said)]).strip()


def _shown(node: dict, key: str) -> str:
    """A default or neutral value; null says that no value is neutral."""
    value = node.get(key)
    return "–" if value is None or value == {} else f"`{_literal(value)}`"


def _literal(value) -> str:
    """A value as YAML writes it."""
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


def _anchor(path: str) -> str:
    return "#" + "".join(letter for letter in path.lower() if letter.isalnum() or letter in "_-")


def sections() -> Iterator[str]:
    yield INTRODUCTION.strip()
    yield from Reference(yaml.safe_load(SCHEMA.read_text())).sections.values()


def page() -> str:
    """The text of docs/configuration.md."""
    return "\n\n".join(sections()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
