"""What is said of faults in the configuration."""

import difflib
from collections.abc import Iterable

import jsonschema

SHOWN = 60  # characters of a wrong value
KINDS = {
    "object": "a mapping (`key: value`)",
    "array": "a list (`[a, b]`)",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
}


def say(error: jsonschema.ValidationError) -> str:
    """What is wrong with a value, without its path."""
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        extra = next(key for key in error.instance if key not in known)
        return f"unknown key {extra!r}{suggest(extra, known)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"the key {missing!r} is missing"
    if error.validator == "anyOf" and "runs" in str(error.validator_value):
        return "a study needs `runs` or `grid`"
    if error.validator == "pattern":
        return f"{error.instance!r}: names are made of letters, digits, `_` and `-` only"
    if error.validator == "enum":
        choices = [str(choice) for choice in error.validator_value]
        return f"{_shown(error.instance)} is not known{_meant(error.instance, choices)}; choose one of " + (
            ", ".join(choices)
        )
    if error.validator == "type":
        return f"{_shown(error.instance)} is not {KINDS[error.validator_value]}{_quote_it(error)}"
    if error.validator in ("minProperties", "minItems"):
        return "empty; give at least one, or remove the key"
    if error.validator == "not":
        return f"the name {error.instance!r} is taken by a table of every experiment; choose another"
    return error.message.replace(repr(error.instance), _shown(error.instance))


def _quote_it(error: jsonschema.ValidationError) -> str:
    """What to do where a text is wanted and YAML read something else."""
    if error.validator_value != "string" or isinstance(error.instance, dict | list):
        return ""
    return "; YAML reads it so unless it is in quotes"


def _shown(value) -> str:
    """A wrong value as a message shows it, cut where it is long."""
    text = repr(value) if value is not None else "null"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def suggest(word: str, known: list[str]) -> str:
    """The key that an unknown one may mean, or all that are known."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _meant(word, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """What is said of a name that nothing defines."""
    return f"there is no {what} {word!r}{_meant(word, known)}; choose one of {', '.join(known) or '(none)'}"


def kind(key) -> str:
    """What YAML takes a name for that is not in quotes."""
    if isinstance(key, bool):
        return "`true` (or yes, on)" if key else "`false` (or no, off)"
    if key is None:
        return "`null`"
    return f"the {'number' if isinstance(key, int | float) else type(key).__name__} {_shown(key)}"
