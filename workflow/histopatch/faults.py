"""What is said of faults in the configuration: one line each, with values as YAML writes them."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

import jsonschema

from histopatch.data.names import quote

SHOWN = 60  # characters of a wrong value
KINDS = {
    "object": "a mapping (`key: value`)",
    "array": "a list (`[a, b]`)",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
}
# Parts of the schema that a configuration has under other names.
OWNERS = {
    "experiment": "the experiment, beside `dataset`",
    "split": "a split, in `splits`",
    "study": "a study, in `studies`",
    "settings": "`defaults`, a run or `final.overrides`",
}
MOST_OWNERS = 2  # a key that more have, such as `seed`, says nothing about where it belongs
LIMITS = {
    "minimum": "less than the minimum of",
    "maximum": "greater than the maximum of",
    "exclusiveMinimum": "not above",
    "exclusiveMaximum": "not below",
}


def say(error: jsonschema.ValidationError, schema: dict) -> str:
    """What is wrong with a value, without its path; schema: the whole, which knows where a key belongs."""
    value, shown, wanted = error.instance, show(error.instance), error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            key = next(key for key in value if key not in known)
            nodes = {"runtime": schema["properties"]["runtime"], **schema["$defs"]}
            return unknown_key(key, known, [*dict.fromkeys(_owners(key, nodes))])
        case "required":
            return f"the key {next(key for key in wanted if key not in value)!r} is missing"
        case "anyOf" if "required" in wanted[0]:
            return "a study needs `runs` or `grid`"
        case "anyOf" if "enum" in wanted[0]:
            known, others = wanted[0]["enum"], wanted[1]["title"]
            return (
                f"{shown} is not known{_meant(value, known)}; choose one of {', '.join(known)}, or {others}"
            )
        case "anyOf":
            return f"{shown} is neither {' nor '.join(map(_alternative, wanted))}"
        case "enum":
            return f"{shown} is not known{_meant(value, wanted)}; choose one of {', '.join(wanted)}"
        case "type":
            return f"{shown} is not {KINDS[wanted]}{_instead(value, wanted)}"
        case "minProperties" | "minItems" | "minLength":
            return "empty; give at least one, or remove the key"
        case "maxLength":
            return f"{shown}: more than {wanted} characters; shorten it"
        case "uniqueItems":
            twice = next(item for place, item in enumerate(value) if item in value[:place])
            return f"{show(twice)} is there twice; keep one"
        case "pattern":
            return f"{shown}: names are made of letters, digits, `_` and `-` only"
        case "not":
            return f"the name {shown} is taken by a table of every experiment; choose another"
    return f"{shown} is {LIMITS[error.validator]} {wanted}"


def show(value) -> str:
    """A value as YAML writes it, cut where it is long."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _owners(key: str, nodes: dict) -> Iterator[str]:
    """What has such a key, at any depth of these parts of the schema."""
    for name, node in nodes.items():
        properties = node.get("properties", {}) if isinstance(node, dict) else {}
        if key in properties:
            yield OWNERS.get(name, f"`{name}`")
        yield from _owners(key, properties)


def unknown_key(key: str, known: Iterable[str], owners: Sequence[str] = ()) -> str:
    """What is said of a key that there is not; owners: what has a key of this name elsewhere."""
    known = list(known)
    typo = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.8)
    if not typo and 0 < len(owners) <= MOST_OWNERS:
        return f"unknown key {quote(key)}; it belongs to {' or '.join(owners)}"
    close = typo or difflib.get_close_matches(key.lower(), known, n=1)
    return f"unknown key {quote(key)}; " + (
        f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    )


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """What is said of a name that nothing defines."""
    return (
        f"there is no {what} {quote(word)}{_meant(word, known)}; choose one of {', '.join(known) or '(none)'}"
    )


def kind(key) -> str:
    """What YAML takes a name for that is not in quotes."""
    if isinstance(key, bool):
        return "`true` (or yes, on)" if key else "`false` (or no, off)"
    if key is None:
        return "`null`"
    return f"the {'number' if isinstance(key, int | float) else type(key).__name__} {show(key)}"


def _meant(value, known: Iterable[str]) -> str:
    # YAML reads `no` and `off` as false, and nothing at all as null.
    word = "none" if value is None or value is False else str(value).strip().lower()
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _instead(value, wanted: str) -> str:
    """What to do where YAML read another kind of value than was meant."""
    if wanted == "string" and not isinstance(value, dict | list):
        return "; YAML reads it so unless it is in quotes"
    if wanted == "boolean" and isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
        return "; YAML reads a text where there are quotes"
    if wanted == "object" and value is None:
        return "; `{}` is one without keys"
    return ""


def _alternative(node: dict) -> str:
    """One of several things that a value may be."""
    if "const" in node:
        return f"`{node['const']}`"
    high = f" to {node['maximum']}" if "maximum" in node else ""
    return f"{KINDS[node['type']]} from {node['minimum']}{high}"
